// What travels: enough that the receiver has the whole tree, and no more than it lacks.
import fc from "fast-check";
import { expect, it } from "vitest";
import { arbitraryFiles, type Files, fileEntry, MemoryTrees } from "../../test/support/memory-trees.ts";
import { newObjects } from "./new-objects.ts";
import type { Oid } from "./oid.ts";

async function between(before: Files, after: Files) {
  const trees = new MemoryTrees();
  const [from, to] = [await trees.make(before), await trees.make(after)];
  trees.forgetReads();
  const found = await newObjects(trees.readLater, from, to);
  return { trees, from, to, found, reads: trees.reads };
}

/** Every object below a tree, submodules' commits apart. */
async function allBelow(trees: MemoryTrees, root: Oid): Promise<Set<Oid>> {
  const entries = await trees.readLater(root);
  const blobs = entries.filter(({ mode }) => mode !== "40000" && mode !== "160000").map(({ oid }) => oid);
  const folders = entries.filter(({ mode }) => mode === "40000");
  const below = await Promise.all(folders.map(({ oid }) => allBelow(trees, oid)));
  return below.reduce((all, some) => all.union(some), new Set([root, ...blobs]));
}

it("with what is there already, what travels is the whole tree, whatever both are", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryFiles, arbitraryFiles, async (before, after) => {
      const { trees, from, to, found } = await between(before, after);
      const sent = new Set([...found.trees, ...found.blobs]);
      const wanted = await allBelow(trees, to);
      expect(wanted.difference(await allBelow(trees, from)).isSubsetOf(sent)).toBe(true);
      expect(sent.isSubsetOf(wanted)).toBe(true);
      expect(sent.size).toBe(found.trees.length + found.blobs.length);
    }),
    { numRuns: 300 },
  );
});

it("of one changed file it is that file and the folders above it, and nothing else is read", async () => {
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`folder-${index}/file`, "1"]));
  const { found, reads } = await between(many, { ...many, "folder-7/file": "2" });
  expect(found.blobs).toEqual([fileEntry("2").oid]);
  expect(found.trees).toHaveLength(2);
  expect(reads).toBe(4);
});

it("leaves out files and folders that were only moved", async () => {
  const { found, to } = await between({ "old/deep/a": "1", "old/b": "2", z: "3" }, { "new/deep/a": "1", "new/b": "2", y: "3" });
  expect(found).toEqual({ trees: [to], blobs: [] });
});

it("is nothing between equal trees", async () => {
  expect((await between({ a: "1" }, { a: "1" })).found).toEqual({ trees: [], blobs: [] });
});
