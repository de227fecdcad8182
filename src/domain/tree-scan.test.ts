import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeTree } from "./object-codec.ts";
import { EMPTY_TREE, parseOid, ZERO_OID } from "./oid.ts";
import { checkTreeEntry } from "./path-rules.ts";
import type { TreeEntry } from "./tree.ts";
import { scanTree } from "./tree-scan.ts";

/** Pieces of which the names are made that some file system takes for another. */
const PIECES = [".", "..", "git", "GIT", "gIt", ".git", "git~1", "gitmod~4", "gi7eba~1", "~1000000", ".gitmodules", "modules"];
const JOINTS = ["", " ", ":", "::$INDEX_ALLOCATION", "\\", "\xe2\x80\x8c", "\xef\xbb\xbf", "\xff", "a", "~", "-", "\n"];

const hostileName = fc
  .array(fc.constantFrom(...PIECES, ...JOINTS), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join(""));
const anyName = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const plainName = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}(\.[a-z]{1,3})?$/);
const longName = fc.integer({ min: 250, max: 4_200 }).map((length) => "x".repeat(length));
const name = fc
  .oneof(
    hostileName,
    anyName,
    plainName,
    plainName.map((text) => `${text}\\.git`),
    longName,
  )
  .map((text) => text.replaceAll("\0", "0"));

const entry: fc.Arbitrary<TreeEntry> = fc.record({
  name,
  mode: fc.constantFrom("100644", "100755", "100664", "120000", "160000", "40000"),
  oid: fc.constantFrom(EMPTY_TREE, parseOid("0".repeat(8) + "1".repeat(32)), ZERO_OID),
});

const scan = (entries: readonly TreeEntry[], onFolder = (_: number) => undefined) =>
  scanTree(Buffer.from(encodeTree(entries)), onFolder);

describe("a tree looked at as bytes", () => {
  it("is refused exactly when one of its entries is", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 3 }), (entries) => {
        const isRefused = entries.some((each) => checkTreeEntry(each) !== null);
        expect(scan(entries)).toBe(isRefused ? null : entries.length);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each(["a/b", "/", "", "a\\.git", ".git", "~1000000"])("with the symbolic link %j is what the rules say", (text) => {
    const link: TreeEntry = { name: text, mode: "120000", oid: EMPTY_TREE };
    expect(scan([link]) === null).toBe(checkTreeEntry(link) !== null);
  });

  it("tells where the oids of its folders are, and of nothing else", () => {
    const oids = ["a", "b", "c"].map((digit) => parseOid(digit.repeat(40)));
    const entries = oids.map((oid, index): TreeEntry => ({ name: `n${index}`, mode: index === 1 ? "100644" : "40000", oid }));
    const bytes = Buffer.from(encodeTree(entries));
    const found: string[] = [];
    scanTree(bytes, (at) => found.push(bytes.toString("hex", at, at + 20)));
    expect(found).toEqual([oids[0], oids[2]]);
  });

  it("with a mode that git does not write, or cut off, is invalid", () => {
    const bytes = Buffer.from(encodeTree([{ name: "file", mode: "100644", oid: EMPTY_TREE }]));
    const cut = bytes.subarray(0, -1);
    const odd = Buffer.from(bytes.toString("latin1").replace("100644", "100666"), "latin1");
    for (const broken of [cut, odd])
      expect(() => scanTree(broken, () => undefined)).toThrow(expect.objectContaining({ code: "ObjectInvalid" }));
  });
});
