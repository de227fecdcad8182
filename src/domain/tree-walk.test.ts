import { describe, expect, test } from "vitest";
import { newObject } from "./object-codec.ts";
import { EMPTY_TREE, type Oid } from "./oid.ts";
import type { Tree, TreeReader } from "./tree.ts";
import { type ListingOptions, listTree } from "./tree-walk.ts";

const BLOB = newObject("blob", Buffer.from("x")).oid;
const file = (name: string) => ({ name, mode: "100644", oid: BLOB }) as const;

/** Trees by made-up ids, counting how often one is read. */
function forest(trees: Readonly<Record<string, Tree>>) {
  const reads: string[] = [];
  const oids = new Map(Object.keys(trees).map((name, index) => [name, String(index).padStart(40, "0") as Oid]));
  const oid = (name: string): Oid => oids.get(name) ?? EMPTY_TREE;
  const read: TreeReader = (wanted) => {
    const [name] = [...oids].find(([, id]) => id === wanted) ?? [];
    if (name !== undefined) reads.push(name);
    return trees[name ?? ""] ?? [];
  };
  return { oid, read, reads };
}

const ROOT = "0".repeat(40) as Oid;
const folder = (name: string, index: number) => ({ name, mode: "40000", oid: String(index).padStart(40, "0") as Oid }) as const;
const TREES = {
  root: [folder("a", 1), file("b"), folder("c", 2), { name: "lib", mode: "160000", oid: BLOB }] as const,
  a: [file("one"), folder("deep", 3)],
  c: [],
  deep: [file("two")],
};

async function list(options: Partial<ListingOptions>) {
  const world = forest(TREES);
  const { entries, isTruncated } = await listTree(world.read, ROOT, { path: "", isRecursive: true, limit: 100, ...options });
  return { paths: entries.map(({ path }) => path), isTruncated, reads: world.reads };
}

describe("a listing", () => {
  test("has one level, in the tree's order, and reads no more than that", async () => {
    expect(await list({ isRecursive: false })).toEqual({ paths: ["a", "b", "c", "lib"], isTruncated: false, reads: ["root"] });
  });

  test("that is recursive has each folder followed by what is in it, and follows no submodule", async () => {
    const paths = ["a", "a/one", "a/deep", "a/deep/two", "b", "c", "lib"];
    expect(await list({})).toEqual({ paths, isTruncated: false, reads: ["root", "a", "deep", "c"] });
  });

  test("of a folder has whole paths", async () => {
    expect((await list({ path: "x/y", isRecursive: false })).paths).toEqual(["x/y/a", "x/y/b", "x/y/c", "x/y/lib"]);
  });

  test.each([
    [1, ["a"], true],
    [3, ["a", "a/one", "a/deep"], true],
    [6, ["a", "a/one", "a/deep", "a/deep/two", "b", "c"], true],
    [7, ["a", "a/one", "a/deep", "a/deep/two", "b", "c", "lib"], false],
  ])("of at most %i entries says whether there are more", async (limit, paths, isTruncated) => {
    expect(await list({ limit })).toMatchObject({ paths, isTruncated });
  });

  test("tells where each entry stands, the listed ones of a folder being its first", async () => {
    const { entries } = await listTree(forest(TREES).read, ROOT, { path: "", isRecursive: true, limit: 5 });
    expect(entries.map(({ folder: tree, index }) => `${Number(tree)}:${index}`)).toEqual(["0:0", "1:0", "1:1", "3:0", "0:1"]);
  });

  test("of nothing is empty", async () => {
    expect(await listTree(() => [], EMPTY_TREE, { path: "", isRecursive: true, limit: 1 })).toEqual({
      entries: [],
      isTruncated: false,
    });
  });
});
