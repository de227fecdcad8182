// Finding one path in a tree.
import { CoregitError } from "./errors.ts";
import { sortKey } from "./object-codec.ts";
import { EMPTY_TREE, type Oid } from "./oid.ts";
import { displayPath } from "./path-rules.ts";
import type { GitPath, Tree, TreeEntry, TreeReader } from "./tree.ts";

/**
 * The entry at `path` (not empty), or null when nothing is there, a file in place of one of its folders included.
 * @throws CoregitError `ObjectMissing`.
 */
export async function lookUp(read: TreeReader, root: Oid, path: GitPath): Promise<TreeEntry | null> {
  let entry: TreeEntry = { name: "", mode: "40000", oid: root };
  for (const name of path.split("/")) {
    const child = findChild(read, entry, name);
    const found = child instanceof Promise ? await child : child;
    if (found === null) return null;
    entry = found;
  }
  return entry;
}

/**
 * The folder at `path` ("" is the root), or null when it is not there.
 * @throws CoregitError `PathMissing` when it or one of its parents is no folder; `ObjectMissing`.
 */
export async function folderAt(read: TreeReader, root: Oid, path: GitPath): Promise<Oid | null> {
  let entry: TreeEntry = { name: "", mode: "40000", oid: root };
  for (const name of path === "" ? [] : path.split("/")) {
    const found = await findChild(read, entry, name);
    if (found === null) return null;
    if (found.mode !== "40000") throw new CoregitError("PathMissing", `${displayPath(path)} is not a folder.`);
    entry = found;
  }
  return entry.oid;
}

function findChild(read: TreeReader, parent: TreeEntry, name: string): TreeEntry | null | Promise<TreeEntry | null> {
  if (parent.mode !== "40000" || parent.oid === EMPTY_TREE) return null;
  const tree = read(parent.oid);
  return tree instanceof Promise ? tree.then((known) => entryOf(known, name)) : entryOf(tree, name);
}

function entryOf(tree: Tree, name: string): TreeEntry | null {
  return tree[positionOf(tree, name)] ?? null;
}

/** The position of the entry called `name`, a file or a folder; -1: there is none. */
export function positionOf(tree: Tree, name: string): number {
  const file = findPosition(tree, name, name);
  return file >= 0 ? file : findPosition(tree, name, `${name}/`);
}

/** In a tree the position of the entry called `name`, whose place in git's order is that of `key`. */
function findPosition(tree: Tree, name: string, key: string): number {
  let low = 0;
  let high = tree.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = tree[middle];
    if (entry !== undefined && sortKey(entry) < key) low = middle + 1;
    else high = middle;
  }
  return tree[low]?.name === name ? low : -1;
}
