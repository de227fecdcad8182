import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeCommit, encodeTree, type NewObject, newObject } from "../domain/object-codec.ts";
import { EMPTY_TREE, type Oid } from "../domain/oid.ts";
import { CommitLift } from "./lift-commit.ts";
import { writePack } from "./pack-writer.ts";

const author = { name: "Ada", email: "ada@example.com", timestamp: 1_700_000_000, timezone: "+0000" };
const commitOf = (message: string): NewObject =>
  newObject("commit", encodeCommit({ tree: EMPTY_TREE, parents: [], author, committer: author, message }));
const rest = ["a", "b", "c"].map((text) => newObject("blob", Buffer.from(text.repeat(500))));
const commit = commitOf("Import\n");

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function lift(pack: Uint8Array, oid: Oid, chunkBytes = 1_000) {
  const lifting = new CommitLift(inChunks(pack, chunkBytes), oid);
  const bytes = Buffer.concat(await Array.fromAsync(lifting));
  return { bytes, commit: await lifting.lifted };
}

describe("lifting a commit out of a pack", () => {
  test("leaves the pack of the other objects, however the bytes arrive", async () => {
    const message = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 3_000 })
      .map((text) => `${text.replaceAll("\0", "")}.`);
    const contents = fc.array(fc.uint8Array({ maxLength: 2_000 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(message, contents, fc.integer({ min: 1, max: 5_000 }), async (text, parts, chunkBytes) => {
        const first = commitOf(text);
        const others = parts.map((bytes) => newObject("blob", bytes));
        const lifted = await lift(writePack([first, ...others]).pack, first.oid, chunkBytes);
        expect(lifted.commit).toEqual({ oid: first.oid, content: Buffer.from(first.content) });
        expect(lifted.bytes.equals(writePack(others).pack)).toBe(true);
      }),
    );
  });

  test.each([
    ["another object comes first", [...rest, commit], commit.oid],
    ["the first commit is another one", [commitOf("Other\n"), commit, ...rest], commit.oid],
    ["there is nothing else in the pack", [commit], commit.oid],
    ["the commit is larger than commits are", [commitOf("x".repeat(300_000)), ...rest], commitOf("x".repeat(300_000)).oid],
    ["the object of that name is no commit", [newObject("tree", encodeTree([])), ...rest], EMPTY_TREE],
    ["the pack is empty", [], commit.oid],
  ])("leaves the pack as it is when %s", async (_, objects, oid) => {
    const { pack } = writePack(objects);
    const lifted = await lift(pack, oid);
    expect(lifted.commit).toBeNull();
    expect(lifted.bytes.equals(pack)).toBe(true);
  });

  test("leaves a pack that ends or breaks within the commit for git to judge", async () => {
    const { pack } = writePack([commit, ...rest]);
    for (const broken of [pack.subarray(0, 14), pack.subarray(0, 40), Buffer.concat([pack.subarray(0, 14), Buffer.alloc(900)])]) {
      const lifted = await lift(broken, commit.oid);
      expect(lifted.commit).toBeNull();
      expect(lifted.bytes.equals(broken)).toBe(true);
    }
  });

  test("refuses a pack whose checksum is another one", async () => {
    const { pack } = writePack([commit, ...rest]);
    const flipped = Buffer.from(pack);
    flipped.writeUInt8(flipped.readUInt8(pack.length - 30) ^ 1, pack.length - 30);
    await expect(lift(flipped, commit.oid)).rejects.toMatchObject({ code: "PackInvalid" });
    await expect(lift(pack.subarray(0, -5), commit.oid)).rejects.toMatchObject({ code: "PackInvalid" });
  });

  test("refuses what is no pack", async () => {
    await expect(lift(Buffer.from("<html>not a pack</html>"), commit.oid)).rejects.toMatchObject({ code: "PackInvalid" });
  });

  test("tells that there is no commit when the source fails", async () => {
    const lifting = new CommitLift(
      // biome-ignore lint/correctness/useYield: it fails before it has anything.
      (async function* (): AsyncGenerator<Uint8Array> {
        throw new Error("gone");
      })(),
      commit.oid,
    );
    await expect(Array.fromAsync(lifting)).rejects.toThrow("gone");
    expect(await lifting.lifted).toBeNull();
  });
});
