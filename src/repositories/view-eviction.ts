// Which local views go when they take more room than they may: whole ones, the longest unused first, none that is in use.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

export type ViewUsage = { readonly id: string; readonly bytes: number; readonly lastUsedMs: number };

/** A view that was used this recently may be open in a git that nobody here counts. */
export const IN_USE_MS = 10 * 60_000;

/** The views to remove so that the others take at most `maxBytes`, as far as that is possible. */
export function chooseEvictions(
  views: readonly ViewUsage[],
  maxBytes: number,
  nowMs: number,
  isLeased: (id: string) => boolean,
): string[] {
  let total = views.reduce((sum, { bytes }) => sum + bytes, 0);
  const evicted: string[] = [];
  for (const view of views.toSorted((a, b) => a.lastUsedMs - b.lastUsedMs)) {
    if (total <= maxBytes) break;
    if (isLeased(view.id) || nowMs - view.lastUsedMs < IN_USE_MS) continue;
    evicted.push(view.id);
    total -= view.bytes;
  }
  return evicted;
}

/** Every view in the cache with its size on disk. The time of `packed-refs` says when some process used it last. */
export async function measureViews(viewsDir: string): Promise<ViewUsage[]> {
  const ids = await readdir(viewsDir).catch(() => []);
  return await Promise.all(ids.map((id) => measureView(viewsDir, id)));
}

async function measureView(viewsDir: string, id: string): Promise<ViewUsage> {
  const packs = join(viewsDir, id, "objects", "pack");
  const names = await readdir(packs).catch(() => []);
  const sizes = await Promise.all(names.map((name) => statOrNull(join(packs, name)).then((stats) => stats?.size ?? 0)));
  const refs = await statOrNull(join(viewsDir, id, "packed-refs"));
  return { id, bytes: sizes.reduce((sum, size) => sum + size, 0), lastUsedMs: refs?.mtimeMs ?? 0 };
}

function statOrNull(path: string) {
  return stat(path).catch(() => null);
}
