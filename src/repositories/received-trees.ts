// Judges every tree of a pack from outside: names that would be dangerous in a checkout, folders too deep, and trees that
// are small but unfold to more paths than anybody has. Trees that the repository had before were judged when they came.
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import { checkTreeEntry, displayPath } from "../domain/path-rules.ts";
import type { GitPath, Tree, TreeReader } from "../domain/tree.ts";

/** How many trees are asked for at once. */
const BATCH = 256;

export type ReceivedTrees = {
  /** Roots of the pack's commits. */
  readonly roots: readonly Oid[];
  /** All trees in the pack. */
  readonly trees: ReadonlySet<Oid>;
  readonly readTree: TreeReader;
  readonly limits: { readonly maxDepth: number; readonly maxPaths: number };
  readonly signal: AbortSignal;
};

type Place = { readonly oid: Oid; readonly path: GitPath };

/** @throws CoregitError `PathRefused`, `TooManyObjects`, `ObjectInvalid`. */
export async function checkReceivedTrees(received: ReceivedTrees): Promise<void> {
  const known = new Map<Oid, Tree>();
  const starts = [...received.roots, ...received.trees];
  for (const root of starts) if (!known.has(root)) await checkBelow({ oid: root, path: "" }, received, known);
  checkExtent(received, known);
}

/** Level by level, so that many trees are read at once and a name is reported at its shortest path. */
async function checkBelow(root: Place, received: ReceivedTrees, known: Map<Oid, Tree>): Promise<void> {
  let level = newPlaces([root], received, known);
  while (level.length > 0) {
    const children: Place[] = [];
    for (let start = 0; start < level.length; start += BATCH) {
      received.signal.throwIfAborted();
      const batch = level.slice(start, start + BATCH);
      const trees = await Promise.all(batch.map(({ oid }) => received.readTree(oid)));
      for (const [index, place] of batch.entries()) {
        const tree = trees[index] ?? [];
        known.set(place.oid, tree);
        children.push(...checkEntries(place, tree));
      }
    }
    level = newPlaces(children, received, known);
  }
}

function newPlaces(places: readonly Place[], { trees }: ReceivedTrees, known: ReadonlyMap<Oid, Tree>): Place[] {
  const distinct = new Map<Oid, Place>();
  for (const place of places)
    if (trees.has(place.oid) && !known.has(place.oid) && !distinct.has(place.oid)) distinct.set(place.oid, place);
  return [...distinct.values()];
}

function checkEntries({ path }: Place, tree: Tree): Place[] {
  const folders: Place[] = [];
  for (const entry of tree) {
    const entryPath = path === "" ? entry.name : `${path}/${entry.name}`;
    const reason = checkTreeEntry(entry);
    if (reason !== null) {
      const shown = displayPath(entryPath);
      throw new CoregitError("PathRefused", `${shown} ${reason}.`, { details: { path: shown } });
    }
    if (entry.mode === "40000") folders.push({ oid: entry.oid, path: entryPath });
  }
  return folders;
}

type Extent = { readonly depth: number; readonly paths: number };

/** Depth and number of paths of each tree from those of its folders; a tree is measured once, wherever it stands. */
function checkExtent({ limits }: ReceivedTrees, known: ReadonlyMap<Oid, Tree>): void {
  const extents = new Map<Oid, Extent>();
  for (const root of known.keys()) {
    const pending = [root];
    for (let oid = pending.at(-1); oid !== undefined; oid = pending.at(-1)) {
      const unmeasured = foldersOf(oid, known).filter((folder) => !extents.has(folder));
      if (unmeasured.length > 0 && !extents.has(oid)) {
        pending.push(...unmeasured);
        continue;
      }
      pending.pop();
      extents.set(oid, extentOf(oid, known, extents));
    }
    checkLimits(extents.get(root), limits);
  }
}

function foldersOf(oid: Oid, known: ReadonlyMap<Oid, Tree>): Oid[] {
  return (known.get(oid) ?? []).filter((entry) => entry.mode === "40000" && known.has(entry.oid)).map((entry) => entry.oid);
}

function extentOf(oid: Oid, known: ReadonlyMap<Oid, Tree>, extents: ReadonlyMap<Oid, Extent>): Extent {
  let depth = 1;
  let paths = 0;
  for (const entry of known.get(oid) ?? []) {
    const below = entry.mode === "40000" ? extents.get(entry.oid) : undefined;
    depth = Math.max(depth, 1 + (below?.depth ?? 0));
    paths += 1 + (below?.paths ?? 0);
  }
  return { depth, paths };
}

function checkLimits(extent: Extent | undefined, limits: ReceivedTrees["limits"]): void {
  if (extent === undefined) return;
  if (extent.depth > limits.maxDepth) {
    throw new CoregitError("PathRefused", `A folder of the pack is more than ${limits.maxDepth} folders deep.`);
  }
  if (extent.paths > limits.maxPaths) {
    throw new CoregitError("TooManyObjects", `The trees of the pack unfold to more than ${limits.maxPaths} paths.`);
  }
}
