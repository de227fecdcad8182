// Changes of leaf entries put onto a tree. Reads and builds only the folders that lead to a change; everything else is
// kept by its oid. Folders that become empty vanish, as git has none. Where a file and a folder would have one path, the
// edit says so instead of losing either.
import { CoregitError } from "./errors.ts";
import { compareEntries, encodeTree, type NewObject, newObject } from "./object-codec.ts";
import { EMPTY_TREE, type Oid } from "./oid.ts";
import { displayPath } from "./path-rules.ts";
import type { FileEntry, GitPath, Tree, TreeEntry, TreeReader } from "./tree.ts";
import type { Changes } from "./tree-diff.ts";
import { positionOf } from "./tree-lookup.ts";

/** A tree that was made, with its entries. */
export type NewTree = NewObject & { readonly tree: Tree };

export type TreeEdit = {
  readonly root: Oid;
  /** Trees that were built, children before parents. Some may be stored already. */
  readonly newTrees: readonly NewTree[];
  /** Paths of `changes` that cannot be put in place because a file stands where they need a folder, or the reverse. */
  readonly collisions: readonly GitPath[];
};

/**
 * The tree after `changes`; only `after` of each is looked at. With collisions the root is not to be used.
 * @throws CoregitError `ObjectMissing`.
 */
export async function editTree(read: TreeReader, root: Oid, changes: Changes): Promise<TreeEdit> {
  const edit = { read, built: new Map<Oid, NewTree>(), collisions: [] as GitPath[] };
  if (changes.size === 0) return { root, newTrees: [], collisions: [] };
  const edited = await editFolder(edit, root, plant(changes), "");
  if (edited === EMPTY_TREE) edit.built.set(EMPTY_TREE, newTree([]));
  return { root: edited, newTrees: [...edit.built.values()], collisions: edit.collisions };
}

/**
 * `editTree` for changes that fit.
 * @throws CoregitError `Conflict` with `details.paths` when some do not; `ObjectMissing`.
 */
export async function applyChanges(read: TreeReader, root: Oid, changes: Changes): Promise<Omit<TreeEdit, "collisions">> {
  const { collisions, ...edit } = await editTree(read, root, changes);
  if (collisions.length === 0) return edit;
  const paths = collisions.map(displayPath);
  throw new CoregitError("Conflict", `A file and a folder would have the same path: ${paths[0]}.`, { details: { paths } });
}

/** The changes as the folders that they are in. `leaf` undefined: nothing changes at this very path. */
type Node = { leaf: FileEntry | null | undefined; children: Map<string, Node> | null };

function plant(changes: Changes): Node {
  const root: Node = { leaf: undefined, children: null };
  for (const [path, { after }] of changes) {
    let node = root;
    for (const name of path.split("/")) node = growChild(node, name);
    node.leaf = after;
  }
  return root;
}

function growChild(node: Node, name: string): Node {
  node.children ??= new Map();
  const known = node.children.get(name);
  if (known !== undefined) return known;
  const child: Node = { leaf: undefined, children: null };
  node.children.set(name, child);
  return child;
}

type Edit = { readonly read: TreeReader; readonly built: Map<Oid, NewTree>; readonly collisions: GitPath[] };

async function editFolder(edit: Edit, oid: Oid, node: Node, prefix: string): Promise<Oid> {
  const tree = oid === EMPTY_TREE ? [] : await edit.read(oid);
  const edited = new EditedEntries(tree);
  for (const [name, child] of node.children ?? []) {
    const at = positionOf(tree, name);
    const next = await editEntry(edit, tree[at], child, prefix + name);
    edited.set(at, next === null ? null : { name, mode: next.mode, oid: next.oid });
  }
  return build(edit, edited.inOrder());
}

/** The entries of a tree while they change. Most changes leave an entry where it is, and then nothing needs sorting. */
class EditedEntries {
  readonly #entries: (TreeEntry | null)[];
  readonly #added: TreeEntry[] = [];
  #isInOrder = true;

  constructor(tree: Tree) {
    this.#entries = [...tree];
  }

  /** In place of the entry at a position of the tree; -1: there was none. Null: there is none any more. */
  set(at: number, entry: TreeEntry | null): void {
    const present = this.#entries[at] ?? null;
    if (present === null && entry === null) return;
    if (present !== null && entry !== null && isFolder(present) === isFolder(entry)) {
      this.#entries[at] = entry;
      return;
    }
    this.#isInOrder = false;
    if (present !== null) this.#entries[at] = null;
    if (entry !== null) this.#added.push(entry);
  }

  inOrder(): Tree {
    const left = this.#entries.filter((entry) => entry !== null);
    return this.#isInOrder ? left : [...left, ...this.#added].sort(compareEntries);
  }
}

async function editEntry(edit: Edit, present: TreeEntry | undefined, node: Node, path: GitPath): Promise<Placed | null> {
  const file = node.leaf === undefined ? only(present, "file") : node.leaf;
  const folder = node.children === null ? only(present, "folder") : await editSubfolder(edit, present, node, path);
  if (file !== null && folder !== null) edit.collisions.push(path);
  return folder ?? file;
}

type Placed = Pick<TreeEntry, "mode" | "oid">;

/** The entry if it is of this kind. */
function only(entry: TreeEntry | undefined, kind: "file" | "folder"): Placed | null {
  return entry !== undefined && isFolder(entry) === (kind === "folder") ? entry : null;
}

function isFolder({ mode }: Placed): boolean {
  return mode === "40000";
}

async function editSubfolder(edit: Edit, present: TreeEntry | undefined, node: Node, path: GitPath): Promise<Placed | null> {
  const oid = await editFolder(edit, only(present, "folder")?.oid ?? EMPTY_TREE, node, `${path}/`);
  return oid === EMPTY_TREE ? null : { mode: "40000", oid };
}

function build(edit: Edit, entries: Tree): Oid {
  if (entries.length === 0) return EMPTY_TREE;
  const built = newTree(entries);
  edit.built.set(built.oid, built);
  return built.oid;
}

/** The tree of entries that are in git's order. */
export function newTree(tree: Tree): NewTree {
  return { ...newObject("tree", encodeTree(tree)), tree };
}
