import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryFiles, type Files, fileEntry, MemoryTrees } from "../../test/support/memory-trees.ts";
import { CoregitError } from "./errors.ts";
import { encodeTree, newObject } from "./object-codec.ts";
import { EMPTY_TREE, parseOid } from "./oid.ts";
import { compileSelection, EVERYTHING } from "./selection.ts";
import { diffTrees, hasLeaf, listLeaves } from "./tree-diff.ts";

/** The changes between two lists of files, worked out the slow way. */
function expectedChanges(before: Files, after: Files) {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort((a, b) => (a < b ? -1 : 1));
  const entry = (files: Files, path: string) => (files[path] === undefined ? null : fileEntry(files[path]));
  return paths
    .filter((path) => before[path] !== after[path])
    .map((path) => [path, { before: entry(before, path), after: entry(after, path) }]);
}

describe("the difference of two trees", () => {
  it("is the difference of their files, whether trees are read at once or later", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryFiles, arbitraryFiles, async (before, after) => {
        const trees = new MemoryTrees();
        const [left, right] = [await trees.make(before), await trees.make(after)];
        expect([...(await diffTrees(trees.read, left, right, EVERYTHING))]).toEqual(expectedChanges(before, after));
        expect([...(await diffTrees(trees.readLater, left, right, EVERYTHING))]).toEqual(expectedChanges(before, after));
      }),
    );
  });

  it("leaves out what is not selected", async () => {
    const trees = new MemoryTrees();
    const tree = await trees.make({ "a/x.md": "1", "a/x.ts": "1", "b/x.md": "1" });
    const changes = await diffTrees(trees.read, EMPTY_TREE, tree, compileSelection({ include: ["**/*.md"], exclude: ["b"] }));
    expect([...changes.keys()]).toEqual(["a/x.md"]);
  });

  it("of a file that became a folder is a deletion and additions", async () => {
    const trees = new MemoryTrees();
    const [before, after] = [await trees.make({ a: "1" }), await trees.make({ "a/b": "1" })];
    expect([...(await diffTrees(trees.read, before, after, EVERYTHING))]).toEqual([
      ["a", { before: fileEntry("1"), after: null }],
      ["a/b", { before: null, after: fileEntry("1") }],
    ]);
  });

  it("never reads a subtree that is equal on both sides", async () => {
    const trees = new MemoryTrees();
    const files = Object.fromEntries(
      Array.from({ length: 400 }, (_, index) => [`d${index % 20}/e${index % 40}/f${index}`, String(index)]),
    );
    const [before, after] = [await trees.make(files), await trees.make({ ...files, "d7/e7/f7": "changed" })];
    trees.forgetReads();
    expect((await diffTrees(trees.read, before, after, EVERYTHING)).size).toBe(1);
    // The root, d7 and d7/e7 on either side.
    expect(trees.reads).toBe(6);
    trees.forgetReads();
    expect((await diffTrees(trees.read, before, before, EVERYTHING)).size).toBe(0);
    expect(trees.reads).toBe(0);
  });

  it("fails with ObjectMissing, and only that, when trees are missing", async () => {
    const trees = new MemoryTrees();
    const missing = parseOid("1".repeat(40));
    const entries = ["a", "b", "c"].map((name) => ({ name, mode: "40000" as const, oid: missing }));
    const root = newObject("tree", encodeTree(entries));
    trees.add([root]);
    await expect(diffTrees(trees.readLater, EMPTY_TREE, root.oid, EVERYTHING)).rejects.toMatchObject({ code: "ObjectMissing" });
  });
});

describe("a tree that unfolds without end", () => {
  const bomb = (levels: number, leaf: boolean) => {
    const trees = new MemoryTrees();
    let entries = leaf ? [{ name: "f", ...fileEntry("1") }] : [];
    let oid = EMPTY_TREE;
    for (let level = 0; level <= levels; level++) {
      const tree = newObject("tree", encodeTree(entries));
      trees.add([tree]);
      oid = tree.oid;
      entries = Array.from("0123456789", (name) => ({ name, mode: "40000" as never, oid }));
    }
    return { trees, oid };
  };

  it.each([
    ["with files", true],
    ["of folders only", false],
  ])("is given up on, %s", async (_, leaf) => {
    const { trees, oid } = bomb(12, leaf);
    await expect(diffTrees(trees.read, EMPTY_TREE, oid, EVERYTHING)).rejects.toMatchObject({ code: "TooManyObjects" });
    await expect(hasLeaf(trees.read, oid, { isAll: false, has: () => false })).rejects.toMatchObject({ code: "TooManyObjects" });
  });

  it("is refused when a path grows beyond what systems take", async () => {
    const trees = new MemoryTrees();
    let tree = newObject("tree", encodeTree([{ name: "f", ...fileEntry("1") }]));
    for (let depth = 0; depth < 3000; depth++) {
      trees.add([tree]);
      tree = newObject("tree", encodeTree([{ name: "d", mode: "40000", oid: tree.oid }]));
    }
    trees.add([tree]);
    const error = await diffTrees(trees.read, EMPTY_TREE, tree.oid, EVERYTHING).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CoregitError);
    expect(error).toMatchObject({ code: "PathRefused" });
  });
});

describe("the leaves of a tree", () => {
  it("are all its files, links and submodule links", async () => {
    const trees = new MemoryTrees();
    const files = { "a/b": "1", c: "link:a", d: "module:1", e: "exec:1" };
    const leaves = await listLeaves(trees.read, await trees.make(files), EVERYTHING);
    expect([...leaves.values()].map(({ mode }) => mode)).toEqual(["100644", "120000", "160000", "100755"]);
  });

  it("are looked for no further than the first", async () => {
    const trees = new MemoryTrees();
    const files = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`d${index}/f`, String(index)]));
    const tree = await trees.make(files);
    trees.forgetReads();
    expect(await hasLeaf(trees.read, tree, EVERYTHING)).toBe(true);
    expect(trees.reads).toBe(2);
    expect(await hasLeaf(trees.read, tree, compileSelection({ include: ["x"], exclude: [] }))).toBe(false);
    expect(await hasLeaf(trees.read, EMPTY_TREE, EVERYTHING)).toBe(false);
  });
});
