// Judges every tree of a pack from outside: names that would be dangerous in a checkout, folders too deep, and trees that
// are small but unfold to more paths than anybody has. Trees that the repository had before were judged when they came.
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import { checkTreeEntry, displayPath } from "../domain/path-rules.ts";
import type { GitPath, Tree, TreeEntry, TreeReader } from "../domain/tree.ts";

/** How many trees are asked for at once. */
const BATCH = 256;

export type ReceivedTrees = {
  /** All objects in the pack. */
  readonly objects: ReadonlySet<Oid>;
  readonly limits: TreeLimits;
  readonly signal: AbortSignal;
  /** Whether `unreached` will be asked for: to keep it up costs more than to read the trees. */
  readonly tracksUnreached: boolean;
};

type Place = { readonly oid: Oid; readonly path: GitPath };

/** A tree of the pack. `folders`: those that came in the pack. `K`: what tells its objects apart. */
export type Folder<K> = { readonly entries: number; readonly folders: readonly K[] };
export type TreeLimits = { readonly maxDepth: number; readonly maxPaths: number };

/** Judges trees as they become known, each once, with everything below it that came in the pack. */
export class TreeInspection {
  readonly #received: ReceivedTrees;
  readonly #known = new Map<Oid, Folder<Oid>>();
  /** Known, or about to be. */
  readonly #met = new Set<Oid>();
  readonly #unreached: Set<Oid>;

  constructor(received: ReceivedTrees) {
    this.#received = received;
    this.#unreached = new Set(received.objects);
  }

  /** @throws CoregitError `PathRefused`, `ObjectInvalid`. */
  async check(trees: Iterable<Oid>, readTree: TreeReader): Promise<void> {
    const roots: Place[] = [];
    for (const oid of trees) if (this.#isNew(oid)) roots.push({ oid, path: "" });
    await this.#checkBelow(roots, readTree);
  }

  /**
   * Objects of the pack that no tree checked so far is or holds. The others are what the trees say: index-pack makes sure,
   * but not of the commits that submodules name, so these are not held.
   */
  get unreached(): ReadonlySet<Oid> {
    return this.#unreached;
  }

  /** Judges depth and number of paths of all that was checked. @throws CoregitError `PathRefused`, `TooManyObjects`. */
  checkExtent(): void {
    checkExtent(this.#known, this.#received.limits);
  }

  /** Level by level, so that many trees are read at once and a name is reported at its shortest path. */
  async #checkBelow(roots: readonly Place[], readTree: TreeReader): Promise<void> {
    let level = roots;
    while (level.length > 0) {
      const below: Place[] = [];
      for (let start = 0; start < level.length; start += BATCH) {
        this.#received.signal.throwIfAborted();
        const batch = level.slice(start, start + BATCH);
        const trees = await Promise.all(batch.map(({ oid }) => readTree(oid)));
        for (const [index, place] of batch.entries()) this.#checkTree(place, trees[index] ?? [], below);
      }
      level = below;
    }
  }

  /** Adds the folders that are to be checked next to `below`. */
  #checkTree(place: Place, tree: Tree, below: Place[]): void {
    const folders: Oid[] = [];
    for (const entry of tree) {
      checkEntry(entry, place);
      if (entry.mode !== "40000" || !this.#received.objects.has(entry.oid)) continue;
      folders.push(entry.oid);
      if (this.#isNew(entry.oid)) below.push({ oid: entry.oid, path: pathOf(entry, place) });
    }
    this.#known.set(place.oid, { entries: tree.length, folders });
    if (!this.#received.tracksUnreached) return;
    this.#unreached.delete(place.oid);
    for (const { oid, mode } of tree) if (mode !== "160000") this.#unreached.delete(oid);
  }

  /** Whether it came in the pack and is met for the first time. */
  #isNew(oid: Oid): boolean {
    if (this.#met.has(oid) || !this.#received.objects.has(oid)) return false;
    this.#met.add(oid);
    return true;
  }
}

function checkEntry(entry: TreeEntry, place: Place): void {
  const reason = checkTreeEntry(entry);
  if (reason === null) return;
  const path = displayPath(pathOf(entry, place));
  throw new CoregitError("PathRefused", `${path} ${reason}.`, { details: { path } });
}

function pathOf({ name }: TreeEntry, { path }: Place): GitPath {
  return path === "" ? name : `${path}/${name}`;
}

type Extent = { readonly depth: number; readonly paths: number };

/**
 * Depth and number of paths of each tree from those of its folders; a tree is measured once, wherever it stands.
 * @throws CoregitError `PathRefused`, `TooManyObjects`.
 */
export function checkExtent<K>(known: ReadonlyMap<K, Folder<K>>, limits: TreeLimits): void {
  const extents = new Map<K, Extent>();
  for (const root of known.keys()) checkLimits(measure(root, known, extents), limits);
}

/** Folders before those that hold them, without recursion: a hostile tree may be deeper than our stack. */
function measure<K>(root: K, known: ReadonlyMap<K, Folder<K>>, extents: Map<K, Extent>): Extent | undefined {
  const pending = [root];
  for (let oid = pending.at(-1); oid !== undefined; oid = pending.at(-1)) {
    const folder = known.get(oid);
    const extent = extents.get(oid) ?? (folder === undefined ? NOTHING : extentOf(folder, extents));
    if (extent !== null) {
      extents.set(oid, extent);
      pending.pop();
    } else pending.push(...(folder?.folders ?? []).filter((below) => !extents.has(below)));
  }
  return extents.get(root);
}

const NOTHING: Extent = { depth: 0, paths: 0 };

/** Null: one of its folders has not been measured. */
function extentOf<K>({ entries, folders }: Folder<K>, extents: ReadonlyMap<K, Extent>): Extent | null {
  let depth = 0;
  let paths = entries;
  for (const oid of folders) {
    const below = extents.get(oid);
    if (below === undefined) return null;
    depth = Math.max(depth, below.depth);
    paths += below.paths;
  }
  return { depth: depth + 1, paths };
}

function checkLimits(extent: Extent | undefined, limits: TreeLimits): void {
  if (extent === undefined) return;
  if (extent.depth > limits.maxDepth) {
    throw new CoregitError("PathRefused", `A folder of the pack is more than ${limits.maxDepth} folders deep.`);
  }
  if (extent.paths > limits.maxPaths) {
    throw new CoregitError("TooManyObjects", `The trees of the pack unfold to more than ${limits.maxPaths} paths.`);
  }
}
