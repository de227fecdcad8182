// Judges every tree of a pack from outside: names that would be dangerous in a checkout, folders too deep, and trees that
// are small but unfold to more paths than anybody has. Trees that the repository had before were judged when they came.
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import { checkTreeEntry, displayPath } from "../domain/path-rules.ts";
import type { GitPath, Tree, TreeReader } from "../domain/tree.ts";

/** How many trees are asked for at once. */
const BATCH = 256;

export type ReceivedTrees = {
  /** All objects in the pack. */
  readonly objects: ReadonlySet<Oid>;
  readonly readTree: TreeReader;
  readonly limits: { readonly maxDepth: number; readonly maxPaths: number };
  readonly signal: AbortSignal;
};

type Place = { readonly oid: Oid; readonly path: GitPath };
type Folder = { readonly entries: number; readonly folders: readonly Place[] };

/** Judges trees as they become known, each once, with everything below it that came in the pack. */
export class TreeInspection {
  readonly #received: ReceivedTrees;
  readonly #known = new Map<Oid, Folder>();
  readonly #unreached: Set<Oid>;

  constructor(received: ReceivedTrees) {
    this.#received = received;
    this.#unreached = new Set(received.objects);
  }

  /** @throws CoregitError `PathRefused`, `ObjectInvalid`. */
  async check(trees: Iterable<Oid>): Promise<void> {
    await this.#checkBelow([...trees].map((oid) => ({ oid, path: "" })));
  }

  /**
   * Objects of the pack that no tree checked so far is or names. The others are what the trees say: index-pack makes sure.
   */
  get unreached(): ReadonlySet<Oid> {
    return this.#unreached;
  }

  /** Judges depth and number of paths of all that was checked. @throws CoregitError `PathRefused`, `TooManyObjects`. */
  checkExtent(): void {
    checkExtent(this.#received, this.#known);
  }

  /** Level by level, so that many trees are read at once and a name is reported at its shortest path. */
  async #checkBelow(roots: readonly Place[]): Promise<void> {
    const { readTree, signal } = this.#received;
    let level = newPlaces(roots, this.#received, this.#known);
    while (level.length > 0) {
      const below: Place[] = [];
      for (let start = 0; start < level.length; start += BATCH) {
        signal.throwIfAborted();
        const batch = level.slice(start, start + BATCH);
        const trees = await Promise.all(batch.map(({ oid }) => readTree(oid)));
        for (const [index, place] of batch.entries()) below.push(...this.#checkTree(place, trees[index] ?? []));
      }
      level = newPlaces(below, this.#received, this.#known);
    }
  }

  #checkTree(place: Place, tree: Tree): readonly Place[] {
    const folder = checkEntries(place, tree);
    this.#known.set(place.oid, folder);
    this.#unreached.delete(place.oid);
    for (const { oid } of tree) this.#unreached.delete(oid);
    return folder.folders;
  }
}

function newPlaces(places: readonly Place[], { objects }: ReceivedTrees, known: ReadonlyMap<Oid, Folder>): Place[] {
  const distinct = new Map<Oid, Place>();
  for (const place of places) {
    if (objects.has(place.oid) && !known.has(place.oid) && !distinct.has(place.oid)) distinct.set(place.oid, place);
  }
  return [...distinct.values()];
}

function checkEntries({ path }: Place, tree: Tree): Folder {
  const folders: Place[] = [];
  const pathOf = (name: string) => (path === "" ? name : `${path}/${name}`);
  for (const entry of tree) {
    const reason = checkTreeEntry(entry);
    if (reason !== null) {
      const shown = displayPath(pathOf(entry.name));
      throw new CoregitError("PathRefused", `${shown} ${reason}.`, { details: { path: shown } });
    }
    if (entry.mode === "40000") folders.push({ oid: entry.oid, path: pathOf(entry.name) });
  }
  return { entries: tree.length, folders };
}

type Extent = { readonly depth: number; readonly paths: number };

/** Depth and number of paths of each tree from those of its folders; a tree is measured once, wherever it stands. */
function checkExtent({ limits }: ReceivedTrees, known: ReadonlyMap<Oid, Folder>): void {
  const extents = new Map<Oid, Extent>();
  for (const root of known.keys()) checkLimits(measure(root, known, extents), limits);
}

/** Folders before those that hold them, without recursion: a hostile tree may be deeper than our stack. */
function measure(root: Oid, known: ReadonlyMap<Oid, Folder>, extents: Map<Oid, Extent>): Extent | undefined {
  const pending = [root];
  for (let oid = pending.at(-1); oid !== undefined; oid = pending.at(-1)) {
    const unmeasured = extents.has(oid) ? [] : unmeasuredBelow(oid, known, extents);
    if (unmeasured.length === 0) {
      if (!extents.has(oid)) extents.set(oid, extentOf(known.get(oid), extents));
      pending.pop();
    }
    pending.push(...unmeasured);
  }
  return extents.get(root);
}

function unmeasuredBelow(oid: Oid, known: ReadonlyMap<Oid, Folder>, extents: ReadonlyMap<Oid, Extent>): Oid[] {
  const folders = known.get(oid)?.folders ?? [];
  return folders.map((place) => place.oid).filter((below) => known.has(below) && !extents.has(below));
}

function extentOf(folder: Folder | undefined, extents: ReadonlyMap<Oid, Extent>): Extent {
  const below = (folder?.folders ?? []).map(({ oid }) => extents.get(oid) ?? { depth: 0, paths: 0 });
  return {
    depth: 1 + below.reduce((deepest, { depth }) => Math.max(deepest, depth), 0),
    paths: below.reduce((sum, { paths }) => sum + paths, folder?.entries ?? 0),
  };
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
