// Takes replaced packs out of a local view. Whoever has one open keeps reading it; whoever looks for one that is gone finds
// its objects in the pack that replaced it, as git looks through the folder again before it gives an object up. What could
// be hurt is a git that has more packs in use than it may hold open and comes back to one, so there is time for it to end.
import { rm } from "node:fs/promises";
import type { Queryable } from "../db/database.ts";
import { listLatePacks } from "../db/pack-compaction.ts";
import { packPath } from "./pack-fill.ts";
import { readContents } from "./placed-packs.ts";
import { IN_USE_MS } from "./view-eviction.ts";

/**
 * Somebody may have been given the view's directory just before the packs were replaced, which on a slow database is half a minute
 * after the first of them was marked as retired.
 */
const UNLEASED_MS = 60_000;

type View = {
  readonly repositoryId: string;
  readonly directory: string;
  /** Names of the packs on disk that make up the view. */
  readonly needed: readonly string[];
};

/** `left`: packs that are not needed and not gone yet. */
export async function dropReplacedPacks(
  db: Queryable,
  { repositoryId, directory, needed }: View,
  isLeased: boolean,
): Promise<{ readonly count: number; readonly left: number }> {
  const own = new Set(needed);
  // Before the rows are read: a pack is published before it comes into a view, so what is here then has a live row or had one.
  const extra = [...(await readContents(directory))].filter(([name]) => !own.has(name));
  if (extra.length === 0) return { count: 0, left: 0 };
  const late = await listLatePacks(db, repositoryId, isLeased ? IN_USE_MS : UNLEASED_MS);
  const dropped = extra.filter(([, names]) => !names.some((name) => late.has(name)));
  for (const [name] of dropped) {
    for (const part of ["idx", "pack", "list"] as const) await rm(packPath(directory, name, part), { force: true });
  }
  return { count: dropped.length, left: extra.length - dropped.length };
}
