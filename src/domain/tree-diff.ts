// What differs between two trees, as changes of leaf entries (files, links, submodule links). Equal subtrees are never
// read. Trees are read level by level, many at once, and nothing is awaited that the reader answers at once.
// A tree may be built to unfold into billions of paths out of few objects, so the walk counts what it unfolds.

import { CoregitError } from "./errors.ts";
import { compareEntries } from "./object-codec.ts";
import { EMPTY_TREE, type Oid } from "./oid.ts";
import { displayPath } from "./path-rules.ts";
import type { Selection } from "./selection.ts";
import type { FileEntry, GitPath, Tree, TreeEntry, TreeReader } from "./tree.ts";

/** What stands at one path on either side; null: nothing. */
export type Change = { readonly before: FileEntry | null; readonly after: FileEntry | null };

/** In the order of the paths' bytes. */
export type Changes = ReadonlyMap<GitPath, Change>;

/** Larger than any repository worth syncing file by file (Chromium has half of it), small enough for memory. */
const MAX_VISITS = 1_000_000;
/** PATH_MAX of the systems that a checkout may meet. */
const MAX_PATH_BYTES = 4096;
const PAIRS_AT_ONCE = 128;

type Pair = { readonly prefix: string; readonly before: Oid; readonly after: Oid };
type LeafVisitor = (path: GitPath, before: FileEntry | null, after: FileEntry | null) => void;

/**
 * Changes that lead from tree `before` to tree `after` over the selected paths. Paths are relative to the two trees. A file that became a folder, or
 * the reverse, is a deletion and additions.
 * @throws CoregitError `ObjectMissing`; `TooManyObjects`, `PathRefused` when the trees unfold to more or deeper paths than can be held.
 */
export async function diffTrees(read: TreeReader, before: Oid, after: Oid, selection: Selection): Promise<Changes> {
  const changes: [GitPath, Change][] = [];
  await walk(read, { prefix: "", before, after }, (path, left, right) => {
    if (selection.has(path)) changes.push([path, { before: left, after: right }]);
  });
  return new Map(changes.sort((left, right) => (left[0] < right[0] ? -1 : 1)));
}

/** All selected leaf entries of a tree. Throws as `diffTrees`. */
export async function listLeaves(read: TreeReader, tree: Oid, selection: Selection): Promise<ReadonlyMap<GitPath, FileEntry>> {
  const leaves = new Map<GitPath, FileEntry>();
  for (const [path, { after }] of await diffTrees(read, EMPTY_TREE, tree, selection)) if (after !== null) leaves.set(path, after);
  return leaves;
}

/** Whether a tree has any selected leaf entry; stops at the first. Throws as `diffTrees`. */
export async function hasLeaf(read: TreeReader, tree: Oid, selection: Selection): Promise<boolean> {
  const count = createVisitLimit();
  const open = [{ prefix: "", oid: tree }];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const { name, mode, oid } of await readTree(read, folder.oid)) {
      const path = folder.prefix + name;
      count(path);
      if (mode === "40000") open.push({ prefix: `${path}/`, oid });
      else if (selection.has(path)) return true;
    }
  }
  return false;
}

/** Throws once there were more paths than can be held, or a path is longer than any system takes. */
function createVisitLimit(): (path: GitPath) => void {
  let visits = 0;
  return (path) => {
    if (++visits > MAX_VISITS) throw new CoregitError("TooManyObjects", `The trees unfold to more than ${MAX_VISITS} paths.`);
    if (path.length <= MAX_PATH_BYTES) return;
    throw new CoregitError("PathRefused", `A path is longer than ${MAX_PATH_BYTES} bytes: ${displayPath(path.slice(0, 100))}…`);
  };
}

type Visitor = { readonly leaf: LeafVisitor; readonly descend: (pair: Pair) => void };

async function walk(read: TreeReader, root: Pair, visit: LeafVisitor): Promise<void> {
  const count = createVisitLimit();
  let deeper: Pair[] = root.before === root.after ? [] : [root];
  const visitor: Visitor = {
    leaf: (path, before, after) => {
      count(path);
      visit(path, before, after);
    },
    descend: (pair) => {
      count(pair.prefix);
      deeper.push(pair);
    },
  };
  while (deeper.length > 0) {
    const level = deeper;
    deeper = [];
    for (let start = 0; start < level.length; start += PAIRS_AT_ONCE) {
      const pairs = level.slice(start, start + PAIRS_AT_ONCE);
      const trees = await settle(pairs.flatMap((pair) => [readTree(read, pair.before), readTree(read, pair.after)]));
      for (const [index, pair] of pairs.entries()) comparePair(pair, trees[2 * index] ?? [], trees[2 * index + 1] ?? [], visitor);
    }
  }
}

function readTree(read: TreeReader, oid: Oid): Tree | Promise<Tree> {
  return oid === EMPTY_TREE ? [] : read(oid);
}

/** All of them; nothing is waited for one by one, and no rejection stays unseen. */
function settle(trees: readonly (Tree | Promise<Tree>)[]): readonly Tree[] | Promise<readonly Tree[]> {
  return trees.some((tree) => tree instanceof Promise) ? Promise.all(trees) : (trees as readonly Tree[]);
}

/** Two trees side by side in git's order, in which a file and a folder of one name are two entries. */
function comparePair(pair: Pair, before: Tree, after: Tree, visitor: Visitor): void {
  let left = 0;
  let right = 0;
  while (left < before.length || right < after.length) {
    const old = before[left];
    const next = after[right];
    const order = compareOptional(old, next);
    if (order <= 0) left++;
    if (order >= 0) right++;
    compareEntry(pair.prefix, order <= 0 ? old : undefined, order >= 0 ? next : undefined, visitor);
  }
}

/** What is missing comes last. */
function compareOptional(left: TreeEntry | undefined, right: TreeEntry | undefined): number {
  if (left === undefined) return 1;
  return right === undefined ? -1 : compareEntries(left, right);
}

function compareEntry(prefix: string, before: TreeEntry | undefined, after: TreeEntry | undefined, visitor: Visitor): void {
  const present = before ?? after;
  if (present === undefined || (before?.oid === after?.oid && before?.mode === after?.mode)) return;
  const path = prefix + present.name;
  if (present.mode !== "40000") visitor.leaf(path, asFile(before), asFile(after));
  else visitor.descend({ prefix: `${path}/`, before: before?.oid ?? EMPTY_TREE, after: after?.oid ?? EMPTY_TREE });
}

function asFile(entry: TreeEntry | undefined): FileEntry | null {
  return entry === undefined || entry.mode === "40000" ? null : { mode: entry.mode, oid: entry.oid };
}
