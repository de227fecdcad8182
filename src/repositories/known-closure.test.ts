import { describe, expect, test } from "vitest";
import { CoregitError } from "../domain/errors.ts";
import { decodeCommit, decodeTree, encodeTree, type NewObject, newObject } from "../domain/object-codec.ts";
import { type Oid, parseOid } from "../domain/oid.ts";
import type { TreeEntry } from "../domain/tree.ts";
import { isKnownClosed, type PublishedReader } from "./known-closure.ts";

const blob = (text: string) => newObject("blob", Buffer.from(text));
const file = (name: string, { oid }: { oid: Oid }): TreeEntry => ({ name, mode: "100644", oid });
const folder = (name: string, { oid }: { oid: Oid }): TreeEntry => ({ name, mode: "40000", oid });
const tree = (...entries: TreeEntry[]) => newObject("tree", encodeTree(entries));

function commit({ oid }: NewObject, ...parents: Oid[]): NewObject {
  const lines = [`tree ${oid}`, ...parents.map((parent) => `parent ${parent}`)];
  return newObject("commit", Buffer.from(`${[...lines, "author A <a> 1 +0000", "committer A <a> 1 +0000"].join("\n")}\n\nx`));
}

const OLD = blob("old");
const INNER = tree(file("kept", blob("kept")), file("old", OLD));
const OTHER = tree(file("elsewhere", blob("elsewhere")));
const LINKED = parseOid("d".repeat(40));
const BASE_TREE = tree(folder("inner", INNER), folder("other", OTHER), { name: "sub", mode: "160000", oid: LINKED });
const BASE = commit(BASE_TREE);
const stored = new Map([INNER, OTHER, BASE_TREE, BASE].map((object) => [object.oid, object]));

function content(oid: Oid): Uint8Array {
  const object = stored.get(oid);
  if (object === undefined) throw new CoregitError("ObjectMissing", "There is no such object.");
  return object.content;
}

const reader: PublishedReader = {
  commit: async (oid) => decodeCommit(oid, content(oid)),
  tree: (oid) => decodeTree(content(oid)),
};

async function isClosed(objects: readonly NewObject[], published: readonly Oid[] = [BASE.oid], tips?: readonly Oid[]) {
  const packed = objects.map(({ oid, type, content }) => [oid, { oid, type, size: 0, content: Buffer.from(content) }] as const);
  const last = objects.at(-1)?.oid ?? BASE.oid;
  return await isKnownClosed({ packed: new Map(packed), tips: tips ?? [last], published: new Set(published) }, reader);
}

describe("of a small pack is known to be complete", () => {
  const added = blob("added");
  const inner = tree(file("added", added), file("kept", blob("kept")), file("renamed", OLD));
  const root = tree(folder("inner", inner), folder("other", OTHER));
  const next = commit(root, BASE.oid);

  test("a commit on a published one, whose other files that one has in the same folders", async () => {
    expect(await isClosed([added, inner, root, next])).toBe(true);
  });

  test("some commits one on the other, the first of them on a published one", async () => {
    const last = commit(tree(folder("inner", INNER)), next.oid);
    expect(await isClosed([added, inner, root, next, tree(folder("inner", INNER)), last])).toBe(true);
  });

  test("nothing, for a ref to where another is", async () => {
    expect(await isClosed([], [BASE.oid], [BASE.oid])).toBe(true);
  });

  test("a commit with the tree of the published one", async () => {
    expect(await isClosed([commit(BASE_TREE, BASE.oid)])).toBe(true);
  });
});

describe("git is asked about a small pack", () => {
  const changed = (...entries: TreeEntry[]) => {
    const root = tree(...entries);
    return [root, commit(root, BASE.oid)];
  };

  test("that has a file which the published commit has elsewhere", async () => {
    expect(await isClosed(changed(file("moved", OLD)))).toBe(false);
  });

  test("that has a file which nothing published has", async () => {
    expect(await isClosed(changed(file("unknown", blob("unknown"))))).toBe(false);
  });

  test("that has as a folder, or as a parent, what the published commit links to as a submodule", async () => {
    expect(await isClosed(changed(folder("sub", { oid: LINKED })))).toBe(false);
    expect(await isClosed([commit(BASE_TREE, BASE.oid, LINKED)])).toBe(false);
  });

  test("that builds on a commit which no ref is at", async () => {
    expect(await isClosed([commit(BASE_TREE, BASE.oid)], [])).toBe(false);
  });

  test("for a tip that is neither in it nor where a ref is", async () => {
    expect(await isClosed([commit(BASE_TREE, BASE.oid)], [BASE.oid], [INNER.oid])).toBe(false);
  });

  test("whose ref leads to something that cannot be read", async () => {
    const gone = parseOid("e".repeat(40));
    expect(await isClosed([commit(BASE_TREE, gone)], [gone])).toBe(false);
  });

  test("with a tag of what is not here", async () => {
    const tag = newObject("tag", Buffer.from(`object ${LINKED}\ntype commit\ntag v1\ntagger A <a> 1 +0000\n\nx`));
    expect(await isClosed([tag])).toBe(false);
  });
});
