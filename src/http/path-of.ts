/** The address without its query, which may hold a secret. */
export function pathOf(url: string): string {
  return url.split("?", 1)[0] ?? "";
}
