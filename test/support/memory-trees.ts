// Trees held in memory, made from and read back as plain lists of paths, for tests of what is a function of trees.
import fc from "fast-check";
import { CoregitError } from "../../src/domain/errors.ts";
import { decodeTree, type NewObject, objectId } from "../../src/domain/object-codec.ts";
import { EMPTY_TREE, type Oid } from "../../src/domain/oid.ts";
import { EVERYTHING } from "../../src/domain/selection.ts";
import type { FileEntry, FileMode, GitPath, Tree, TreeReader } from "../../src/domain/tree.ts";
import { listLeaves } from "../../src/domain/tree-diff.ts";
import { applyChanges } from "../../src/domain/tree-edit.ts";

/** Path → content; `link:`, `exec:` and `module:` in front of the content choose the mode. */
export type Files = Readonly<Record<GitPath, string>>;

const MODES: Readonly<Record<string, FileMode>> = { link: "120000", exec: "100755", module: "160000" };

export function fileEntry(content: string): FileEntry {
  const mode = MODES[content.split(":", 1)[0] ?? ""] ?? "100644";
  return { mode, oid: objectId("blob", Buffer.from(content)) };
}

export class MemoryTrees {
  readonly #trees = new Map<Oid, Tree>();
  readonly #contents = new Map<Oid, string>();
  /** Trees read since the last call of `forgetReads`. */
  reads = 0;

  readonly read: TreeReader = (oid) => {
    this.reads++;
    const tree = oid === EMPTY_TREE ? [] : this.#trees.get(oid);
    if (tree === undefined) throw new CoregitError("ObjectMissing", `There is no tree ${oid}.`);
    return tree;
  };

  /** The same, but never at once. */
  readonly readLater: TreeReader = async (oid) => {
    await Promise.resolve();
    return this.read(oid);
  };

  forgetReads(): void {
    this.reads = 0;
  }

  add(objects: readonly NewObject[]): void {
    for (const { oid, content } of objects) this.#trees.set(oid, decodeTree(content));
  }

  async make(files: Files): Promise<Oid> {
    const changes = new Map(
      Object.entries(files).map(([path, content]) => {
        const after = fileEntry(content);
        this.#contents.set(after.oid, content);
        return [path, { before: null, after }];
      }),
    );
    const { root, newTrees } = await applyChanges(this.read, EMPTY_TREE, changes);
    this.add(newTrees);
    return root;
  }

  async list(root: Oid): Promise<Files> {
    const leaves = await listLeaves(this.read, root, EVERYTHING);
    return Object.fromEntries([...leaves].map(([path, { oid }]) => [path, this.#contents.get(oid) ?? oid]));
  }
}

const name = fc.constantFrom("a", "b", "a.b", "a-b", "\xc3\xa9", "\xff");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const content = fc.constantFrom("1", "2", "3", "exec:1", "link:1", "module:1");

/** A few files over so few names that trees made independently often share, replace and contradict paths. */
export const arbitraryFiles: fc.Arbitrary<Files> = fc.array(fc.tuple(path, content), { maxLength: 10 }).map((entries) => {
  const files: Record<GitPath, string> = {};
  for (const [candidate, text] of entries) {
    const isFree = Object.keys(files).every(
      (other) => !`${other}/`.startsWith(`${candidate}/`) && !`${candidate}/`.startsWith(`${other}/`),
    );
    if (isFree) files[candidate] = text;
  }
  return files;
});
