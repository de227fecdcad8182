import { describe, expect, it } from "vitest";
import { newObject } from "../../domain/object-codec.ts";
import type { FileEntry, FileMode } from "../../domain/tree.ts";
import type { Changes } from "../../domain/tree-diff.ts";
import { entryProblem, INLINE_BYTES, isInline, newBlobs, orderEntries, treeItem } from "./tree-entries.ts";

const blob = (text: string) => newObject("blob", Buffer.from(text));
const file = (text: string, mode: FileMode = "100644"): FileEntry => ({ mode, oid: blob(text).oid });
const changes = (...list: readonly (readonly [string, FileEntry | null, FileEntry | null])[]): Changes =>
  new Map(list.map(([path, before, after]) => [path, { before, after }]));

describe("the order of entries", () => {
  it("is files that become folders, then what is written, then what is deleted and not replaced by a file", () => {
    const ordered = orderEntries({
      changes: changes(
        ["a", file("1"), null],
        ["b", file("2"), null],
        ["b/c/d", null, file("3")],
        ["e", null, file("4")],
        ["f/g", file("5"), null],
        ["f", null, file("6")],
      ),
    });
    expect(ordered.map(({ path, after }) => [path, after === null])).toEqual([
      ["b", true],
      ["b/c/d", false],
      ["e", false],
      ["f", false],
      ["a", true],
    ]);
  });
});

describe("new blobs", () => {
  it("are those that the remote has not, each once, and no submodule's commit", () => {
    const moved = file("moved");
    const twice = file("twice");
    const found = newBlobs({
      changes: changes(
        ["from", moved, null],
        ["mode", file("same"), file("same", "100755")],
        ["sub", null, file("commit", "160000")],
        ["to", null, moved],
        ["x", null, twice],
        ["y", null, twice],
      ),
    });
    expect([...found]).toEqual([[twice.oid, "x"]]);
  });
});

describe("content goes as text", () => {
  it.each<[string, Buffer, boolean]>([
    ["when it is UTF-8", Buffer.from("größe\r\n"), true],
    ["when it is empty", Buffer.alloc(0), true],
    ["when it ends as JSON might", Buffer.from('a","b":"123n'), true],
    ["not when it has a NUL", Buffer.from("a\0b"), false],
    ["not when it is no UTF-8", Buffer.from([0x61, 0xe9]), false],
    ["not when it is the half of a surrogate", Buffer.from([0xed, 0xa0, 0x80]), false],
    ["not when it is large", Buffer.alloc(INLINE_BYTES + 1, "x"), false],
  ])("%s", async (_what, content, expected) => {
    const { oid } = newObject("blob", content);
    expect(await isInline({ size: async () => content.length, read: async () => content }, oid)).toBe(expected);
  });
});

describe("an entry", () => {
  it.each([
    ["text", file("x"), "x", { path: "p", mode: "100644", type: "blob", content: "x" }],
    ["a blob", file("x", "100755"), null, { path: "p", mode: "100755", type: "blob", sha: file("x").oid }],
    ["a link", file("x", "120000"), "x", { path: "p", mode: "120000", type: "blob", content: "x" }],
    ["a submodule", file("x", "160000"), null, { path: "p", mode: "160000", type: "commit", sha: file("x").oid }],
  ] as const)("of %s says what GitHub takes", (_what, after, text, expected) => {
    const inline = text === null ? null : Buffer.from(text);
    expect(treeItem({ path: "p", after, mode: after.mode }, inline)).toEqual(expected);
  });

  it("of a deletion has a null id, and a mode that GitHub knows", () => {
    const deleted = { path: "p", after: null, mode: "100664" } as const;
    expect(treeItem(deleted, null)).toEqual({ path: "p", mode: "100644", type: "blob", sha: null });
    expect(entryProblem(deleted)).toBeNull();
  });

  it("is refused for a name that is not UTF-8 and for a mode that GitHub does not write", () => {
    expect(entryProblem({ path: "caf\xe9", after: file("x"), mode: "100644" })).toBe("takes no path that is not UTF-8");
    expect(entryProblem({ path: "p", after: file("x", "100664"), mode: "100664" })).toBe("writes no files of mode 100664");
  });
});
