import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CoregitError } from "./errors.ts";
import { compareEntries, decodeCommit, decodeTag, decodeTree, encodeCommit, encodeTree, objectId } from "./object-codec.ts";
import { EMPTY_TREE, parseOid, ZERO_OID } from "./oid.ts";
import type { TreeEntry } from "./tree.ts";

const BLOB = parseOid("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");

const entry: fc.Arbitrary<TreeEntry> = fc.record({
  name: fc
    .uint8Array({ minLength: 1, maxLength: 8 })
    .map((bytes) => Buffer.from(bytes).toString("latin1").replaceAll("\0", "0").replaceAll("/", "-")),
  mode: fc.constantFrom("100644", "100755", "100664", "120000", "160000", "40000"),
  oid: fc.constantFrom(parseOid("1".repeat(40)), parseOid("a".repeat(40))),
});
const tree = fc
  .uniqueArray(entry, { selector: ({ name }) => name, maxLength: 12 })
  .map((entries) => entries.toSorted(compareEntries));

function codeOf(action: () => unknown): string | null {
  try {
    action();
    return null;
  } catch (error) {
    return error instanceof CoregitError ? error.code : String(error);
  }
}

const bytes = (text: string) => Buffer.from(text, "latin1");
const raw = (...entries: string[]) => bytes(entries.map((text) => `${text}\0${"x".repeat(20)}`).join(""));

describe("the tree codec", () => {
  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(tree, (entries) => {
        expect(decodeTree(encodeTree(entries))).toEqual(entries);
      }),
    );
  });

  it("writes back what it read, when it reads it at all", () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.integer({ min: 0, max: 255 }), (entries, position, value) => {
        const content = Buffer.from(encodeTree(entries));
        if (content.length > 0) content[position % content.length] = value;
        const code = codeOf(() => expect(Buffer.from(encodeTree(decodeTree(content)))).toEqual(content));
        expect([null, "ObjectInvalid"]).toContain(code);
      }),
      { numRuns: 1000 },
    );
  });

  it("refuses arbitrary bytes with ObjectInvalid and nothing else", () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.string({ unit: fc.constantFrom("1", "0", "4", "6", " ", "a", "\0"), maxLength: 80 }).map(bytes),
    );
    fc.assert(
      fc.property(noise, (content) => {
        expect([null, "ObjectInvalid"]).toContain(codeOf(() => decodeTree(content)));
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ["a mode that git does not write", raw("100600 a")],
    ["a mode with a leading zero", raw("040000 a")],
    ["an endless mode", bytes("1".repeat(100_000))],
    ["no name", bytes("100644 ")],
    ["half an oid", bytes("100644 a\0xxxxxxxxxx")],
    ["entries out of order", raw("100644 b", "100644 a")],
    ["a folder before a file that sorts before it", raw("40000 a", "100644 a.b")],
    ["a name twice", raw("100644 a", "100644 a")],
    ["a file and a folder of one name, apart", raw("100644 a", "100644 a.b", "40000 a")],
  ])("refuses a tree with %s", (_, content) => {
    expect(codeOf(() => decodeTree(content))).toBe("ObjectInvalid");
  });

  it("sorts a folder as if its name ended in a slash", () => {
    const names = (["100644 a", "40000 a", "100644 a.b", "100644 a0"] as const).map((text): TreeEntry => {
      const [mode, name] = text.split(" ") as ["100644" | "40000", string];
      return { mode, name, oid: BLOB };
    });
    expect(
      names
        .toReversed()
        .sort(compareEntries)
        .map(({ mode, name }) => `${mode} ${name}`),
    ).toEqual(["100644 a", "100644 a.b", "40000 a", "100644 a0"]);
  });

  it("names the empty tree as git does", () => {
    expect(objectId("tree", encodeTree([]))).toBe(EMPTY_TREE);
  });
});

describe("the commit codec", () => {
  const signature = { name: "Zoë", email: "z@example.com", timestamp: 1_700_000_000, timezone: "+0130" };
  const content = {
    tree: EMPTY_TREE,
    parents: [BLOB, ZERO_OID],
    author: signature,
    committer: { ...signature, name: "C" },
    message: "Subject\n\nBödy\n",
  };

  it("reads back what it wrote", () => {
    const encoded = encodeCommit(content);
    const oid = objectId("commit", encoded);
    expect(decodeCommit(oid, encoded)).toEqual({ oid, ...content });
  });

  it("passes over signatures and merge tags, whatever their lines say", () => {
    const text = [
      `tree ${EMPTY_TREE}`,
      `parent ${BLOB}`,
      "author A U Thor <a@example.com> 1 +0000",
      "committer C <c@example.com> 2 -0800",
      "gpgsig -----BEGIN PGP SIGNATURE-----",
      ` tree ${ZERO_OID}`,
      ` parent ${ZERO_OID}`,
      " -----END PGP SIGNATURE-----",
      `mergetag object ${ZERO_OID}`,
      " author Mallory <m@example.com> 3 +0000",
      "",
      "tree of life\n",
    ].join("\n");
    expect(decodeCommit(BLOB, bytes(text))).toEqual({
      oid: BLOB,
      tree: EMPTY_TREE,
      parents: [BLOB],
      author: { name: "A U Thor", email: "a@example.com", timestamp: 1, timezone: "+0000" },
      committer: { name: "C", email: "c@example.com", timestamp: 2, timezone: "-0800" },
      message: "tree of life\n",
    });
  });

  it("reads text in the encoding that the commit names", () => {
    const text = `tree ${EMPTY_TREE}\nauthor Zo\xeb <z@e.x> 1 +0000\ncommitter C <c@e.x> 1 +0000\nencoding ISO-8859-1\n\nB\xf6dy`;
    const commit = decodeCommit(BLOB, bytes(text));
    expect([commit.author.name, commit.message]).toEqual(["Zoë", "Bödy"]);
  });

  it("shows bytes that are not in the named encoding instead of failing", () => {
    const text = `tree ${EMPTY_TREE}\nauthor A <a@e.x> 1 +0000\ncommitter C <c@e.x> 1 +0000\nencoding klingon\n\nB\xf6dy`;
    expect(decodeCommit(BLOB, bytes(text)).message).toBe("B\ufffddy");
  });

  it.each([
    ["A <a@e.x> 12345678901234567890 +0000", { name: "A", email: "a@e.x", timestamp: 0, timezone: "+0000" }],
    ["A <a@e.x>", { name: "A", email: "a@e.x", timestamp: 0, timezone: "+0000" }],
    ["no address at all", { name: "no address at all", email: "", timestamp: 0, timezone: "+0000" }],
    ["A <a <b@e.x>> 5 +051800", { name: "A", email: "a <b@e.x>", timestamp: 5, timezone: "+051800" }],
    ["> A < 5 +0000", { name: "> A < 5 +0000", email: "", timestamp: 0, timezone: "+0000" }],
    ["", { name: "", email: "", timestamp: 0, timezone: "+0000" }],
  ])("reads the odd author %j as far as it goes", (line, author) => {
    expect(decodeCommit(BLOB, bytes(`tree ${EMPTY_TREE}\nauthor ${line}\ncommitter C <c@e.x> 1 +0000\n\nm`)).author).toEqual(
      author,
    );
  });

  it("refuses arbitrary bytes with ObjectInvalid and nothing else", () => {
    const line = fc.constantFrom(
      `tree ${EMPTY_TREE}\n`,
      "tree x\n",
      `parent ${BLOB}\n`,
      "parent \n",
      "author <\n",
      "committer >\n",
      "encoding \n",
      "\n",
      "é",
    );
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.array(line, { maxLength: 8 }).map((lines) => Buffer.from(lines.join(""))),
    );
    fc.assert(
      fc.property(noise, (data) => {
        expect([null, "ObjectInvalid"]).toContain(codeOf(() => decodeCommit(BLOB, data)));
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ["a name that ends the identity", { author: { ...signature, name: "A> 1 +0000\nparent x" } }],
    ["an empty address", { committer: { ...signature, email: " " } }],
    ["a zone that git does not write", { author: { ...signature, timezone: "UTC" } }],
    ["a time before the epoch", { author: { ...signature, timestamp: -1 } }],
    ["a NUL in the message", { message: "a\0b" }],
  ])("refuses to write %s", (_, change) => {
    expect(codeOf(() => encodeCommit({ ...content, ...change }))).toBe("ObjectInvalid");
  });
});

describe("native git", () => {
  let repository = "";
  const git = (args: readonly string[], input: Uint8Array) =>
    execFileSync("git", args, { cwd: repository, input, encoding: "latin1" }).trim();

  beforeAll(() => {
    repository = mkdtempSync(join(tmpdir(), "coregit-codec-"));
    execFileSync("git", ["init", "--bare", "--quiet"], { cwd: repository });
  });
  afterAll(() => rmSync(repository, { recursive: true }));

  it("makes the same trees", () => {
    const sample = fc.sample(tree, { numRuns: 30, seed: 7 });
    // mktree -z writes one tree for each group of lines that an empty line ends.
    const input = sample
      .filter((entries) => entries.length > 0)
      .map((entries) =>
        entries
          .toReversed()
          .map(({ mode, oid, name }) => `${mode} ${typeOf(mode)} ${oid}\t${name}\0`)
          .join(""),
      )
      .join("\0");
    const named = git(["mktree", "-z", "--batch", "--missing"], bytes(input)).split("\n");
    expect(named).toEqual(sample.filter((entries) => entries.length > 0).map((entries) => objectId("tree", encodeTree(entries))));
  });

  it("accepts and names a commit as we do", () => {
    const signature = { name: "Zoë", email: "z@example.com", timestamp: 1_700_000_000, timezone: "+0130" };
    const encoded = encodeCommit({ tree: EMPTY_TREE, parents: [], author: signature, committer: signature, message: "Bödy\n" });
    expect(git(["hash-object", "-t", "commit", "--stdin"], encoded)).toBe(objectId("commit", encoded));
  });
});

describe("the tag codec", () => {
  it("reads what the tag names, who made it and what it says", () => {
    const text = `object ${BLOB}\ntype blob\ntag v1\ntagger Zoë <z@example.com> 1700000000 +0130\n\nFirst\n`;
    expect(decodeTag(ZERO_OID, Buffer.from(text))).toEqual({
      oid: ZERO_OID,
      target: BLOB,
      tagger: { name: "Zoë", email: "z@example.com", timestamp: 1_700_000_000, timezone: "+0130" },
      message: "First\n",
    });
  });

  it("does without a tagger and a message, as old tags do", () => {
    const tag = decodeTag(ZERO_OID, bytes(`object ${BLOB}\ntype commit\ntag v0\n`));
    expect(tag).toMatchObject({ target: BLOB, tagger: null, message: "" });
  });

  it("refuses one that names nothing", () => {
    expect(codeOf(() => decodeTag(ZERO_OID, bytes("type commit\ntag v0\n")))).toBe("ObjectInvalid");
  });
});

function typeOf(mode: TreeEntry["mode"]): string {
  if (mode === "40000") return "tree";
  return mode === "160000" ? "commit" : "blob";
}
