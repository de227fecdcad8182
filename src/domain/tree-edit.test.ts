import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryFiles, type Files, fileEntry, MemoryTrees } from "../../test/support/memory-trees.ts";
import { EMPTY_TREE } from "./oid.ts";
import { EVERYTHING } from "./selection.ts";
import { type Changes, diffTrees } from "./tree-diff.ts";
import { applyChanges, editTree } from "./tree-edit.ts";
import { folderAt, lookUp } from "./tree-lookup.ts";

/** `null` deletes. */
function changesOf(edits: Readonly<Record<string, string | null>>): Changes {
  return new Map(
    Object.entries(edits).map(([path, text]) => [path, { before: null, after: text === null ? null : fileEntry(text) }]),
  );
}

async function edit(files: Files, edits: Readonly<Record<string, string | null>>) {
  const trees = new MemoryTrees();
  const root = await trees.make(files);
  await trees.make(Object.fromEntries(Object.values(edits).map((text, index) => [`f${index}`, text ?? ""])));
  const result = await editTree(trees.read, root, changesOf(edits));
  trees.add(result.newTrees);
  return {
    collisions: result.collisions,
    files: result.collisions.length === 0 ? await trees.list(result.root) : null,
    root: result.root,
  };
}

describe("changes applied to a tree", () => {
  it("lead from one tree to the other when they are the difference of both", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryFiles, arbitraryFiles, async (before, after) => {
        const trees = new MemoryTrees();
        const [left, right] = [await trees.make(before), await trees.make(after)];
        const { root } = await applyChanges(trees.readLater, left, await diffTrees(trees.read, left, right, EVERYTHING));
        expect(root).toBe(right);
      }),
    );
  });

  it("build only the folders that lead to a change", async () => {
    const trees = new MemoryTrees();
    const files = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`d${index % 10}/f${index}`, String(index)]));
    const root = await trees.make(files);
    trees.forgetReads();
    const { newTrees } = await applyChanges(trees.read, root, changesOf({ "d3/f3": "new" }));
    expect({ built: newTrees.length, reads: trees.reads }).toEqual({ built: 2, reads: 2 });
  });

  it("let folders vanish that become empty", async () => {
    expect((await edit({ "a/b/c": "1", d: "2" }, { "a/b/c": null })).files).toEqual({ d: "2" });
  });

  it("make the empty tree when nothing is left, and bring it along", async () => {
    const trees = new MemoryTrees();
    const { root, newTrees } = await applyChanges(trees.read, await trees.make({ "a/b": "1" }), changesOf({ "a/b": null }));
    expect({ root, newTrees: newTrees.map(({ oid }) => oid) }).toEqual({ root: EMPTY_TREE, newTrees: [EMPTY_TREE] });
  });

  it("may replace a file by a folder and the reverse", async () => {
    expect((await edit({ a: "1" }, { a: null, "a/b": "2" })).files).toEqual({ "a/b": "2" });
    expect((await edit({ "a/b": "1" }, { "a/b": null, a: "2" })).files).toEqual({ a: "2" });
  });

  it.each<[string, Files, Record<string, string | null>, string[]]>([
    ["a file stands where a folder must be", { a: "1" }, { "a/b": "2" }, ["a"]],
    ["a folder stands where a file must be", { "a/b": "1" }, { a: "2" }, ["a"]],
    ["something is left in the folder that becomes a file", { "a/b": "1", "a/c": "1" }, { "a/b": null, a: "2" }, ["a"]],
    ["the changes contradict each other", {}, { a: "1", "a/b": "2" }, ["a"]],
  ])("collide when %s", async (_, files, edits, collisions) => {
    expect((await edit(files, edits)).collisions).toEqual(collisions);
  });

  it("are refused as a whole by applyChanges when they collide", async () => {
    const trees = new MemoryTrees();
    const root = await trees.make({ a: "1" });
    await expect(applyChanges(trees.read, root, changesOf({ "a/b": "2" }))).rejects.toMatchObject({
      code: "Conflict",
      details: { paths: ["a"] },
    });
  });

  it("tolerate deletions of what is not there", async () => {
    expect((await edit({ a: "1" }, { "a/b/c": null, x: null, "y/z": null })).files).toEqual({ a: "1" });
  });
});

describe("a path looked up in a tree", () => {
  it("is found, missing, or blocked by a file", async () => {
    const trees = new MemoryTrees();
    const root = await trees.make({ "a/b/c": "1", d: "2" });
    expect(await lookUp(trees.read, root, "a/b/c")).toEqual({ name: "c", ...fileEntry("1") });
    expect(await lookUp(trees.read, root, "a/x")).toBeNull();
    expect(await lookUp(trees.read, root, "d/x")).toBeNull();
    expect(await folderAt(trees.read, root, "")).toBe(root);
    expect(await folderAt(trees.readLater, root, "a/b")).toBe(await trees.make({ c: "1" }));
    expect(await folderAt(trees.read, root, "a/x/y")).toBeNull();
    for (const path of ["d", "d/x", "a/b/c"]) {
      await expect(folderAt(trees.read, root, path)).rejects.toMatchObject({ code: "PathMissing" });
    }
  });
});
