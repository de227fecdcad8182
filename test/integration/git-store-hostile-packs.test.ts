// Packs that a hostile or broken remote may send: each is refused with its own code, nothing of it stays, and the
// repository works on.
import { createHash, randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeTree, type NewObject, newObject, objectId } from "../../src/domain/object-codec.ts";
import { type Oid, parseOid } from "../../src/domain/oid.ts";
import type { FileMode } from "../../src/domain/tree.ts";
import { encodePackHeader } from "../../src/git/pack-header.ts";
import { writePack } from "../../src/git/pack-writer.ts";
import type { Repository } from "../../src/repositories/store.ts";
import type { StoreLimits } from "../../src/repositories/store-options.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  addRepository,
  chunked,
  commitOf,
  MEBIBYTE,
  openTestStore,
  publishSmallCommit,
  smallCommit,
} from "../support/git-store.ts";

const BLOB = newObject("blob", Buffer.from("content"));

let database: TestDatabase;
let repository: Repository;

beforeAll(async () => {
  database = await createTestDatabase();
  repository = await addRepository(database.database);
});

afterAll(async () => {
  await database[Symbol.asyncDispose]();
});

/** Sends a pack into a quarantine, and gives what became of it once it is gone. */
async function receive(
  pack: AsyncIterable<Uint8Array>,
  options: { readonly tip?: Oid; readonly limits?: Partial<StoreLimits> } = {},
): Promise<unknown> {
  await using world = await openTestStore(database.database, { limits: options.limits ?? {} });
  const outcome = await attempt(world.store.quarantine(repository), pack, options.tip);
  const [own] = await readdir(join(world.cacheDir, "quarantine"));
  expect(await readdir(join(world.cacheDir, "quarantine", own ?? ""))).toEqual([]);
  return outcome;
}

async function attempt(
  opening: ReturnType<Awaited<ReturnType<typeof openTestStore>>["store"]["quarantine"]>,
  pack: AsyncIterable<Uint8Array>,
  tip?: Oid,
) {
  await using quarantine = await opening;
  const options = { shallowTips: tip === undefined ? [] : [tip] };
  return await quarantine.receivePack(pack, options, AbortSignal.timeout(60_000)).catch((error: unknown) => error);
}

function packOf(...objects: NewObject[]): AsyncIterable<Uint8Array> {
  return chunked(writePack(objects).pack);
}

/** A commit whose tree holds these entries, given as bytes so that they may be out of order or worse. */
function hostileTree(...entries: { readonly name: string; readonly mode?: string; readonly oid?: Oid }[]): NewObject[] {
  const parts = entries.map(({ name, mode = "100644", oid = BLOB.oid }) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`, "latin1"), Buffer.from(oid, "hex")]),
  );
  const tree = newObject("tree", Buffer.concat(parts));
  return [BLOB, tree, commitOf(tree.oid)];
}

/** A pack with right checksum around entries that nobody checked. */
function rawPack(count: number, entries: Uint8Array): Buffer {
  const body = Buffer.concat([encodePackHeader(count), entries]);
  return Buffer.concat([body, createHash("sha1").update(body).digest()]);
}

describe("a broken pack", () => {
  const whole = writePack(smallCommit("x").objects).pack;

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["half a header", whole.subarray(0, 7)],
    ["a web page", Buffer.from("<!doctype html><title>Log in</title>")],
    ["a pack cut off in its middle", whole.subarray(0, whole.length - 60)],
    ["a pack without its checksum", whole.subarray(0, whole.length - 20)],
    ["a pack with a wrong checksum", Buffer.concat([whole.subarray(0, -1), Buffer.from([(whole.at(-1) ?? 0) ^ 1])])],
    ["a pack with a flipped bit", Buffer.from(whole.map((byte, index) => (index === 40 ? byte ^ 4 : byte)))],
    ["fewer objects than announced", rawPack(5, whole.subarray(12, -20))],
    ["more objects than announced", rawPack(2, whole.subarray(12, -20))],
    ["a pack of a later version", Buffer.concat([Buffer.from("PACK"), Buffer.from([0, 0, 0, 9]), whole.subarray(8)])],
  ])("%s is PackInvalid", async (_, bytes) => {
    expect(await receive(chunked(bytes))).toMatchObject({ code: "PackInvalid" });
  });

  test("a pack that lacks a blob of its tree is PackInvalid", async () => {
    const { objects } = smallCommit("lacking");
    expect(await receive(packOf(...objects.filter(({ type }) => type !== "blob")))).toMatchObject({ code: "PackInvalid" });
  });

  test("a pack that lacks a parent is PackInvalid, unless it was not asked for", async () => {
    const { objects, oid } = smallCommit("child", [parseOid("a".repeat(40))]);
    expect(await receive(packOf(...objects))).toMatchObject({ code: "PackInvalid" });
    expect(await receive(packOf(...objects), { tip: oid })).toMatchObject({ objects: 3 });
  });

  test("a delta without its base is PackInvalid", async () => {
    // Type 7 (REF_DELTA), inflated size 4, base oid, then an empty deflate stream of four bytes.
    const delta = Buffer.concat([Buffer.from([0x74]), Buffer.alloc(20, 0xab), Buffer.from("789c6360606000000004000101", "hex")]);
    expect(await receive(chunked(rawPack(1, delta)))).toMatchObject({ code: "PackInvalid" });
  });

  test("the failure of the transport is the failure of the import", async () => {
    async function* broken() {
      yield whole.subarray(0, 50);
      throw new RangeError("connection lost");
    }
    expect(await receive(broken())).toBeInstanceOf(RangeError);
  });

  test("an abort ends the git process and is the failure", async () => {
    await using world = await openTestStore(database.database);
    await using quarantine = await world.store.quarantine(repository);
    const abort = new AbortController();
    async function* stalling() {
      yield whole.subarray(0, 50);
      abort.abort(new RangeError("deadline"));
      await new Promise(() => undefined);
    }
    await expect(quarantine.receivePack(stalling(), { shallowTips: [] }, abort.signal)).rejects.toThrow("deadline");
  });
});

describe("limits", () => {
  test("a header that announces too many objects is refused before git is started", async () => {
    expect(await receive(chunked(rawPack(0xffffffff, Buffer.alloc(0))))).toMatchObject({ code: "TooManyObjects" });
  });

  test("more bytes than allowed are PackTooLarge, and the sender is not read to its end", async () => {
    const blob = newObject("blob", randomBytes(8 * MEBIBYTE));
    let sent = 0;
    async function* counted() {
      for await (const chunk of packOf(blob)) {
        sent += chunk.byteLength;
        yield chunk;
      }
    }
    expect(await receive(counted(), { limits: { maxPackBytes: MEBIBYTE } })).toMatchObject({ code: "PackTooLarge" });
    expect(sent).toBeLessThan(2 * MEBIBYTE);
  });

  test("a small pack that unpacks to too much is PackTooLarge", async () => {
    const bomb = newObject("blob", Buffer.alloc(64 * MEBIBYTE));
    const tree = newObject("tree", encodeTree([{ name: "bomb", mode: "100644", oid: bomb.oid }]));
    const limits = { maxInflatedBytes: 8 * MEBIBYTE };
    expect(await receive(packOf(bomb, tree, commitOf(tree.oid)), { limits })).toMatchObject({ code: "PackTooLarge" });
  });

  test("thousands of objects that unpack to too much together are PackTooLarge", async () => {
    const blobs = Array.from({ length: 3_000 }, (_, index) => newObject("blob", Buffer.alloc(10_000, `${index} `)));
    const names = blobs.map(({ oid }, index) => ({ name: `file-${index + 1_000}`, mode: "100644", oid }) as const);
    const tree = newObject("tree", encodeTree(names));
    const limits = { maxInflatedBytes: 8 * MEBIBYTE };
    expect(await receive(packOf(...blobs, tree, commitOf(tree.oid)), { limits })).toMatchObject({ code: "PackTooLarge" });
  });

  test("a pack that needs more memory than a git process may use is OutOfMemory", async () => {
    const bomb = newObject("blob", Buffer.alloc(200 * MEBIBYTE));
    const limits = { gitMemoryBytes: 128 * MEBIBYTE, maxInflatedBytes: 4096 * MEBIBYTE };
    expect(await receive(packOf(bomb), { limits })).toMatchObject({ code: "OutOfMemory" });
  });

  test("trees that unfold to more paths than allowed are TooManyObjects", async () => {
    const trees: NewObject[] = [newObject("tree", encodeTree([{ name: "f", mode: "100644", oid: BLOB.oid }]))];
    for (let level = 0; level < 12; level += 1) {
      const oid = trees.at(-1)?.oid ?? BLOB.oid;
      const names = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
      trees.push(newObject("tree", encodeTree(names.map((name) => ({ name, mode: "40000", oid })))));
    }
    const root = trees.at(-1)?.oid ?? BLOB.oid;
    expect(await receive(packOf(BLOB, ...trees, commitOf(root)))).toMatchObject({ code: "TooManyObjects" });
  });

  test("folders deeper than allowed are PathRefused, also far deeper than a call stack", async () => {
    let inner = newObject("tree", encodeTree([{ name: "f", mode: "100644", oid: BLOB.oid }]));
    const trees = [inner];
    for (let depth = 0; depth < 15_000; depth += 1) {
      inner = newObject("tree", encodeTree([{ name: "d", mode: "40000", oid: inner.oid }]));
      trees.push(inner);
    }
    expect(await receive(packOf(BLOB, ...trees, commitOf(inner.oid)))).toMatchObject({ code: "PathRefused" });
  });
});

describe("a pack whose sealing begins before it has been looked at", () => {
  const bomb = newObject("blob", Buffer.alloc(64 * MEBIBYTE));
  const bombTree = newObject("tree", encodeTree([{ name: "bomb", mode: "100644", oid: bomb.oid }]));
  const bombCommit = commitOf(bombTree.oid);
  const hostile = hostileTree({ name: ".git" });
  const hostileCommit = hostile.at(-1)?.oid ?? bombCommit.oid;

  test.each([
    ["for a name in its trees", hostile, hostileCommit, "PathRefused"],
    ["for what it unpacks to", [bombCommit, bombTree, bomb], bombCommit.oid, "PackTooLarge"],
    [
      "for what nobody asked for",
      [...smallCommit("asked for").objects.toReversed(), ...hostile],
      smallCommit("asked for").oid,
      "PathRefused",
    ],
  ])("and is refused %s leaves nothing in the blob store", async (_, objects, tip, code) => {
    const limits = { maxInflatedBytes: 8 * MEBIBYTE, inlinePackBytes: 0 };
    await using world = await openTestStore(database.database, { limits });
    const signal = AbortSignal.timeout(60_000);
    const refused = async () => {
      await using quarantine = await world.store.quarantine(repository);
      await quarantine.receivePack(packOf(...objects), { shallowTips: [tip], sealEarly: true }, signal);
      await quarantine.seal({ source: "import", dropCommits: true }, signal);
    };
    await expect(refused()).rejects.toMatchObject({ code });
    expect(await Array.fromAsync(world.blobs.list(""))).toEqual([]);
  });

  test("and that holds more history than was asked for is sealed without it", async () => {
    await using world = await openTestStore(database.database, { limits: { inlinePackBytes: 0 } });
    const signal = AbortSignal.timeout(60_000);
    const [first, second] = [smallCommit("first"), smallCommit("second")];
    await using quarantine = await world.store.quarantine(repository);
    const pack = packOf(...second.objects.toReversed(), ...first.objects);
    await quarantine.receivePack(pack, { shallowTips: [second.oid], sealEarly: true }, signal);
    const [sealed] = await quarantine.seal({ source: "import", dropCommits: true }, signal);
    expect(sealed?.objectCount).toBe(4);
  });
});

test("a commit that the asked-for one links to as a submodule is history all the same, and not kept", async () => {
  await using world = await openTestStore(database.database);
  const signal = AbortSignal.timeout(60_000);
  const linked = smallCommit("linked");
  const folder = { name: "folder", mode: "40000", oid: linked.objects[1]?.oid ?? BLOB.oid } as const;
  const root = newObject("tree", encodeTree([folder, { name: "sub", mode: "160000", oid: linked.oid }]));
  const commit = commitOf(root.oid);
  await using quarantine = await world.store.quarantine(repository);
  await quarantine.receivePack(packOf(commit, root, ...linked.objects), { shallowTips: [commit.oid] }, signal);
  const [sealed] = await quarantine.seal({ source: "import", dropCommits: true }, signal);
  expect(sealed?.objectCount, "two trees and a blob").toBe(3);
});

describe("a hostile tree", () => {
  test.each([
    [".git", ".git"],
    [".GIT", ".GIT"],
    ["..", ".."],
    [".", "."],
    ["git~1", "git~1"],
    [".git. . .", ".git. . ."],
    [".git::$INDEX_ALLOCATION", ".git::$INDEX_ALLOCATION"],
    [".g\xe2\x80\x8cit", ".g\\u{200c}it"],
    ["a/b", "a/b"],
  ])("with the name %j is PathRefused", async (name, shown) => {
    const oid = hostileTree({ name })[1]?.oid ?? BLOB.oid;
    const outer = newObject("tree", encodeTree([{ name: "sub", mode: "40000", oid }]));
    const pack = packOf(...hostileTree({ name }).slice(0, 2), outer, commitOf(outer.oid));
    expect(await receive(pack)).toMatchObject({ code: "PathRefused", details: { path: `sub/${shown}` } });
  });

  test.each(["first", "in the middle", "last"])("among thousands of others, %s in its pack, is PathRefused", async (place) => {
    const others = Array.from({ length: 3_000 }, (_, index) =>
      newObject("tree", encodeTree([{ name: `file-${index}`, mode: "100644", oid: BLOB.oid }])),
    );
    const [, hostile = BLOB] = hostileTree({ name: ".git" });
    const folders = [...others, hostile].map(
      ({ oid }, index) => ({ name: `part-${index + 1_000}`, mode: "40000", oid }) as const,
    );
    const root = newObject("tree", encodeTree(folders));
    const at = { first: 0, "in the middle": 1_500, last: 3_000 }[place] ?? 0;
    const pack = packOf(...others.toSpliced(at, 0, hostile), BLOB, root, commitOf(root.oid));
    expect(await receive(pack)).toMatchObject({ code: "PathRefused", details: { path: "part-4000/.git" } });
  });

  test("with a .gitmodules that is a symbolic link is PathRefused", async () => {
    const pack = packOf(...hostileTree({ name: ".gitmodules", mode: "120000" }));
    expect(await receive(pack)).toMatchObject({ code: "PathRefused", details: { path: ".gitmodules" } });
  });

  test.each([
    ["an empty name", [{ name: "" }]],
    ["a name twice", [{ name: "a" }, { name: "a" }]],
    ["a file and a folder of one name", [{ name: "a" }, { name: "a", mode: "40000", oid: objectId("tree", Buffer.alloc(0)) }]],
    ["names out of order", [{ name: "b" }, { name: "a" }]],
    ["a mode with a leading zero", [{ name: "a", mode: "0100644" }]],
    ["a mode that no file has", [{ name: "a", mode: "107777" }]],
    ["a link to the null object", [{ name: "a", mode: "160000", oid: parseOid("0".repeat(40)) }]],
  ])("with %s is ObjectInvalid", async (_, entries) => {
    expect(await receive(packOf(...hostileTree(...entries), newObject("tree", Buffer.alloc(0))))).toMatchObject({
      code: "ObjectInvalid",
    });
  });

  test("with a .gitmodules that holds an attack is ObjectInvalid", async () => {
    const modules = newObject("blob", Buffer.from('[submodule "x"]\n\tpath = x\n\turl = --upload-pack=touch /tmp/x\n'));
    const pack = packOf(modules, ...hostileTree({ name: ".gitmodules", oid: modules.oid }));
    expect(await receive(pack)).toMatchObject({ code: "ObjectInvalid" });
  });

  test("is not needed for a tree that no commit of the pack reaches to be judged", async () => {
    expect(await receive(packOf(...hostileTree({ name: ".git" }).slice(0, 2)))).toMatchObject({ code: "PathRefused" });
  });

  test("is judged although the commit that was asked for names it, as a link to a submodule", async () => {
    const [blob = BLOB, hidden = BLOB] = hostileTree({ name: ".git" });
    const link = { name: "sub", mode: "160000", oid: hidden.oid } as const;
    const root = newObject("tree", encodeTree([{ name: "file", mode: "100644", oid: blob.oid }, link]));
    const commit = commitOf(root.oid);
    expect(await receive(packOf(commit, root, hidden, blob), { tip: commit.oid })).toMatchObject({ code: "PathRefused" });
  });

  test("of the past is taken: modes that git wrote before 2005, odd but harmless names", async () => {
    const mode: FileMode = "100664";
    const pack = packOf(...hostileTree({ name: '\xff\n"' }, { name: "old", mode }).toSorted());
    expect(await receive(pack)).toMatchObject({ code: "ObjectInvalid" });
    const sorted = packOf(...hostileTree({ name: "old", mode }, { name: '\xff\n"' }));
    expect(await receive(sorted)).toMatchObject({ objects: 3 });
  });
});

test("objects that the repository has already count as present", async () => {
  await using world = await openTestStore(database.database);
  const parent = await publishSmallCommit(world.store, repository, { text: "base", expected: null, ref: "refs/heads/base" });
  const tree = smallCommit("base").objects[1]?.oid ?? BLOB.oid;
  expect(await receive(packOf(commitOf(tree, [parent])))).toMatchObject({ objects: 1 });
});
