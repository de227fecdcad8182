// Pages of lists: by number with GitLab's `X-` headers, or by key with a `Link` to the next.
import type { GitLabCall, RouteAnswer } from "./call.ts";

const DEFAULT_SIZE = 20;
const MAX_SIZE = 100;

function sizeOf(call: GitLabCall): number {
  const asked = Number(call.text("per_page") ?? call.input.per_page ?? DEFAULT_SIZE) || DEFAULT_SIZE;
  return Math.min(Math.max(asked, 1), MAX_SIZE);
}

function linkTo(call: GitLabCall, parameters: Readonly<Record<string, string>>, rel: string): string {
  const url = new URL(call.request.url);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return `<${url.href}>; rel="${rel}"`;
}

export async function paged<Item>(
  call: GitLabCall,
  items: readonly Item[],
  show: (item: Item) => Promise<unknown>,
): Promise<RouteAnswer> {
  const size = sizeOf(call);
  const page = Math.max(Number(call.input.page ?? 1) || 1, 1);
  const last = Math.max(Math.ceil(items.length / size), 1);
  const links = [
    ...(page < last ? [linkTo(call, { page: String(page + 1) }, "next")] : []),
    linkTo(call, { page: "1" }, "first"),
    linkTo(call, { page: String(last) }, "last"),
  ];
  const headers = {
    link: links.join(", "),
    "x-next-page": page < last ? String(page + 1) : "",
    "x-page": String(page),
    "x-per-page": String(size),
    "x-prev-page": page > 1 ? String(page - 1) : "",
    "x-total": String(items.length),
    "x-total-pages": String(last),
  };
  return { status: 200, json: await Promise.all(items.slice((page - 1) * size, page * size).map(show)), headers };
}

/** `keyOf` gives what `page_token` has to say to go on after an item. */
export async function pagedByKey<Item>(
  call: GitLabCall,
  items: readonly Item[],
  { keyOf, show }: { readonly keyOf: (item: Item) => string; readonly show: (item: Item) => Promise<unknown> },
): Promise<RouteAnswer> {
  const size = sizeOf(call);
  const token = call.text("page_token");
  const start = token === null ? 0 : items.findIndex((item) => keyOf(item) === token) + 1;
  const shown = items.slice(start, start + size);
  const last = shown.at(-1);
  const hasMore = start + size < items.length && last !== undefined;
  const headers: Record<string, string> = hasMore ? { link: linkTo(call, { page_token: keyOf(last) }, "next") } : {};
  return { status: 200, json: await Promise.all(shown.map(show)), headers: { "x-per-page": String(size), ...headers } };
}
