// What every blob store promises, asked of each of them.

import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BlobStore } from "../../src/blobs/blob-store.ts";
import { openBlobStore } from "../../src/blobs/open-blob-store.ts";
import { createTestDatabase } from "../support/database.ts";
import { S3_SERVER_DEADLINE_MS, startS3Server } from "../support/s3-server.ts";

const MIB = 1024 * 1024;

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

async function openPostgresStore(stack: AsyncDisposableStack): Promise<BlobStore> {
  const { database } = stack.use(await createTestDatabase());
  return stack.use(await openBlobStore({ kind: "postgres" }, database));
}

async function openFileStore(stack: AsyncDisposableStack): Promise<BlobStore> {
  const directory = await mkdtemp(join(tmpdir(), "coregit-test-blobs-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const { database } = stack.use(await createTestDatabase());
  return stack.use(await openBlobStore({ kind: "file", directory: join(directory, "made", "by-open") }, database));
}

async function openS3Store(stack: AsyncDisposableStack): Promise<BlobStore> {
  const { database } = stack.use(await createTestDatabase());
  const server = stack.use(await startS3Server());
  const setting = await server.createBucket();
  return stack.use(await openBlobStore({ ...setting, prefix: "some/prefix" }, database));
}

describe.each([
  ["postgres", openPostgresStore],
  ["file", openFileStore],
  ["s3", openS3Store],
])("the blob store %s", (_name, openStore) => {
  const stack = new AsyncDisposableStack();
  let store: BlobStore;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "coregit-test-files-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    store = await openStore(stack);
  }, S3_SERVER_DEADLINE_MS);
  afterAll(() => stack.disposeAsync());

  test("can be used after it was opened", async () => {
    await expect(store.check()).resolves.toBeUndefined();
  });

  test("gives back the bytes that were put", async () => {
    const bytes = randomBytes(3 * MIB + 17);
    await store.put("back/bytes.pack", pieces(bytes, 70_001), bytes.length);
    expect((await read(store, "back/bytes.pack")).equals(bytes)).toBe(true);
    expect(await store.size("back/bytes.pack")).toBe(bytes.length);
  });

  test("gives back the bytes of a file that was put, which stays as it was", async () => {
    const path = join(folder, "whole");
    const bytes = randomBytes(9 * MIB + 17);
    await writeFile(path, bytes, { mode: 0o400 });
    await store.putFile("file/whole", path, bytes.length);
    expect((await read(store, "file/whole")).equals(bytes)).toBe(true);
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  test("keeps the first bytes of a key that files are put to", async () => {
    const [first, second] = [join(folder, "first"), join(folder, "second")];
    await writeFile(first, "first");
    await writeFile(second, "another");
    await store.putFile("file/twice", first, 5);
    await store.putFile("file/twice", second, 7);
    expect((await read(store, "file/twice")).toString()).toBe("first");
  });

  test.each([4, 6])("refuses a file of 5 bytes that is to have %i, and keeps nothing of it", async (size) => {
    const path = join(folder, "five");
    await writeFile(path, "12345");
    const key = `file/of-${size}`;
    await expect(store.putFile(key, path, size)).rejects.toMatchObject({ code: "StorageCorrupt" });
    expect(await store.size(key)).toBeNull();
  });

  test("says of a file that is not there what the disk says, and of an aborted put why", async () => {
    await expect(store.putFile("file/missing", join(folder, "missing"), 1)).rejects.toMatchObject({ code: "ENOENT" });
    const put = store.putFile("file/aborted", import.meta.filename, 1, AbortSignal.abort(new Error("No longer wanted.")));
    await expect(put).rejects.toThrow("No longer wanted.");
    expect(await store.size("file/missing")).toBeNull();
    expect(await store.size("file/aborted")).toBeNull();
  });

  test("gives back ranges across its parts", async () => {
    const bytes = randomBytes(2 * MIB + 5);
    await store.put("ranges", pieces(bytes, MIB), bytes.length);
    const ranges = [
      { start: 0, end: 0 },
      { start: 0, end: 1 },
      { start: MIB - 1, end: MIB + 1 },
      { start: MIB, end: 2 * MIB },
      { start: 2 * MIB + 4 },
      { start: 5, end: 10 * MIB },
      { start: 10 * MIB },
    ];
    for (const range of ranges) {
      expect((await read(store, "ranges", range)).equals(bytes.subarray(range.start, range.end)), JSON.stringify(range)).toBe(
        true,
      );
    }
  });

  test("stores a blob of no bytes", async () => {
    await store.put("empty", pieces(Buffer.alloc(0), 1), 0);
    expect(await store.size("empty")).toBe(0);
    expect(await read(store, "empty")).toHaveLength(0);
  });

  test("keeps the first bytes when a key is put again", async () => {
    await store.put("twice", pieces(Buffer.from("first"), 2), 5);
    await store.put("twice", pieces(Buffer.from("second"), 2), 6);
    expect((await read(store, "twice")).toString()).toBe("first");
    expect(await store.size("twice")).toBe(5);
  });

  test("keeps the whole bytes of one of several puts of a key at once", async () => {
    const candidates = Array.from({ length: 6 }, (_, index) => Buffer.alloc(MIB + MIB / 2 + index, index));
    await Promise.all(candidates.map((bytes) => store.put("race/key", pieces(bytes, 100_000), bytes.length)));
    const stored = await read(store, "race/key");
    expect(candidates.some((bytes) => bytes.equals(stored))).toBe(true);
    expect(await keys(store, "race/")).toEqual(["race/key"]);
  });

  test.each([
    ["ends early", 9],
    ["goes on too long", 11],
  ])("refuses a source that %s and leaves nothing", async (_case, length) => {
    const put = store.put("wrong/size", pieces(Buffer.alloc(length), 3), 10);
    await expect(put).rejects.toMatchObject({ code: "StorageCorrupt" });
    expect(await store.size("wrong/size")).toBeNull();
    await expect(read(store, "wrong/size")).rejects.toMatchObject({ code: "ObjectMissing" });
  });

  test("a failure of the source leaves nothing, and the key can be put afterwards", async () => {
    const failing = async function* () {
      yield Buffer.alloc(2 * MIB);
      throw new Error("The source broke.");
    };
    await expect(store.put("broken", failing(), 4 * MIB)).rejects.toThrow("The source broke.");
    expect(await store.size("broken")).toBeNull();
    await store.put("broken", pieces(Buffer.from("whole"), 5), 5);
    expect((await read(store, "broken")).toString()).toBe("whole");
  });

  test("an abort ends a put whose source is silent and leaves nothing", async () => {
    const abort = new AbortController();
    const silent = async function* () {
      yield Buffer.alloc(2 * MIB);
      queueMicrotask(() => abort.abort(new Error("No longer wanted.")));
      await new Promise(() => undefined);
    };
    await expect(store.put("aborted/put", silent(), 4 * MIB, abort.signal)).rejects.toThrow("No longer wanted.");
    expect(await store.size("aborted/put")).toBeNull();
    expect(await keys(store, "aborted/")).toEqual([]);
  });

  test("an abort ends a get", async () => {
    const bytes = randomBytes(3 * MIB);
    await store.put("aborted/get", pieces(bytes, MIB), bytes.length);
    const abort = new AbortController();
    const reading = async () => {
      for await (const _bytes of store.get("aborted/get", undefined, abort.signal)) abort.abort(new Error("Enough."));
    };
    await expect(reading()).rejects.toThrow("Enough.");
  });

  test("lists the keys of a prefix in order, with their sizes and times", async () => {
    const startedMs = Date.now();
    const names = ["list/b", "list/a/2", "list/a/10", "list/a-b", "list/a.b", "listed", "list/ab"];
    for (const name of names) await store.put(name, pieces(Buffer.from(name), 100), name.length);
    const expected = ["list/a-b", "list/a.b", "list/a/10", "list/a/2", "list/ab", "list/b"];
    const listed = await collect(store.list("list/"));
    expect(listed.map(({ key }) => key)).toEqual(expected);
    expect(listed.map(({ size }) => size)).toEqual(expected.map((key) => key.length));
    for (const { writtenAtMs } of listed) expect(Math.abs(writtenAtMs - startedMs)).toBeLessThan(60_000);
    expect(await keys(store, "list/a")).toEqual(["list/a-b", "list/a.b", "list/a/10", "list/a/2", "list/ab"]);
    expect(await keys(store, "nothing/here")).toEqual([]);
    expect(await keys(store, "")).toContain("listed");
  });

  test("lists from behind any key, whether it is there or not", async () => {
    const names = ["from/a-b", "from/a/1", "from/a/2", "from/ab/1", "from/b"];
    for (const name of names) await store.put(name, pieces(Buffer.from("x"), 1), 1);
    for (const after of [...names, "from/a", "from/a/15", "from/aa/9", "a", "z"]) {
      const listed = await collect(store.list("from/", after));
      expect(
        listed.map(({ key }) => key),
        after,
      ).toEqual(names.filter((name) => name > after));
    }
  });

  test("removes a key, and a missing one without complaint", async () => {
    await store.put("gone/soon", pieces(Buffer.from("x"), 1), 1);
    await store.delete("gone/soon");
    await store.delete("gone/soon");
    await store.delete("never/was/there");
    expect(await store.size("gone/soon")).toBeNull();
    expect(await keys(store, "gone/")).toEqual([]);
    await store.put("gone/soon", pieces(Buffer.from("yy"), 1), 2);
    expect((await read(store, "gone/soon")).toString()).toBe("yy");
  });

  test.each(["", "/", "a//b", "/a", "a/", "..", "a/../b", ".", "a/./b", "a b", "a\\b", "a~b", "ä", "a\0b", "x".repeat(513)])(
    "refuses the key %j",
    async (key) => {
      const refusal = { code: "Internal" };
      await expect(store.put(key, pieces(Buffer.from("x"), 1), 1)).rejects.toMatchObject(refusal);
      await expect(read(store, key)).rejects.toMatchObject(refusal);
      await expect(store.size(key)).rejects.toMatchObject(refusal);
      await expect(store.delete(key)).rejects.toMatchObject(refusal);
    },
  );

  test.each(["..", "../", "a/../", "/etc/"])("refuses to list %j", async (prefix) => {
    const listing = keys(store, prefix);
    if (prefix === "..") expect(await listing).toEqual([]);
    else await expect(listing).rejects.toMatchObject({ code: "Internal" });
  });

  test("moves 30 MB either way in bounded memory", async () => {
    const size = 30 * MIB;
    const heldBefore = heldBytes();
    let mostHeld = 0;
    const sent = createHash("sha256");
    const source = async function* () {
      for (let at = 0; at < size; at += MIB) {
        const piece = randomBytes(MIB);
        sent.update(piece);
        if (at % (4 * MIB) === 0) mostHeld = Math.max(mostHeld, heldBytes() - heldBefore);
        yield piece;
      }
    };
    await store.put("large", source(), size);
    const received = createHash("sha256");
    let nextMeasureAt = 0;
    let at = 0;
    for await (const piece of store.get("large")) {
      received.update(piece);
      at += piece.length;
      if (at < nextMeasureAt) continue;
      nextMeasureAt = at + 4 * MIB;
      mostHeld = Math.max(mostHeld, heldBytes() - heldBefore);
    }
    expect(received.digest("hex")).toBe(sent.digest("hex"));
    expect(mostHeld).toBeLessThan(size / 2);
  });
});

async function* pieces(bytes: Buffer, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function read(store: BlobStore, key: string, range?: { start: number; end?: number }): Promise<Buffer> {
  return Buffer.concat(await collect(store.get(key, range)));
}

async function keys(store: BlobStore, prefix: string): Promise<string[]> {
  return (await collect(store.list(prefix))).map(({ key }) => key);
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** What is in use after a collection: garbage of the pieces already passed on is not counted. */
function heldBytes(): number {
  // The second collection waits for the first one's freeing of buffers, which goes on in the background.
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}
