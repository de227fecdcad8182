// What puts leave behind when their process is killed, and who removes it.

import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { BlobStore } from "../../src/blobs/blob-store.ts";
import { openFileBlobStore } from "../../src/blobs/file/open-file-blob-store.ts";
import { PostgresBlobStore } from "../../src/blobs/postgres/postgres-blob-store.ts";
import { createTestDatabase } from "../support/database.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

function clockAt(ms: number) {
  return { now: () => ms, monotonic: () => ms };
}

test("parts in the database are removed by a put or a listing a day later, and not before", async () => {
  await using db = await createTestDatabase();
  const startedMs = Date.now();
  const parts = async () => (await db.database.query("SELECT key FROM blob_parts")).rowCount;
  // A put that waits for its source for ever is all that a killed process leaves of itself.
  const { promise: isWaiting, resolve: waits } = Promise.withResolvers<void>();
  const source = async function* () {
    yield Buffer.alloc(1024 * 1024);
    waits();
    await new Promise(() => undefined);
  };
  void new PostgresBlobStore(db.database, clockAt(startedMs)).put("cut/off", source(), 2 * 1024 * 1024).catch(() => undefined);
  await isWaiting;
  const soonAfter = new PostgresBlobStore(db.database, clockAt(startedMs + DAY_MS / 2));
  await soonAfter.put("another", bytes("x"), 1);
  expect(await listed(soonAfter)).toEqual(["another"]);
  expect(await parts()).toBe(2);
  const dayAfter = new PostgresBlobStore(db.database, clockAt(startedMs + DAY_MS + 1));
  expect(await listed(dayAfter)).toEqual(["another"]);
  expect(await parts()).toBe(1);
});

test("files are removed when the store is opened a day later, and not before", async () => {
  const root = await mkdtemp(join(tmpdir(), "coregit-test-leftovers-"));
  try {
    const store = await openFileBlobStore(root);
    const incoming = join(root, "~incoming");
    await writeFile(join(incoming, "old"), "half");
    await writeFile(join(incoming, "recent"), "half");
    const longAgo = new Date(Date.now() - DAY_MS - 60_000);
    await utimes(join(incoming, "old"), longAgo, longAgo);
    await store.put("whole", bytes("x"), 1);
    const again = await openFileBlobStore(root);
    expect(await readdir(incoming)).toEqual(["recent"]);
    expect(await listed(again)).toEqual(["whole"]);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

test("a folder that cannot be made is told at once", async () => {
  const aFile = import.meta.filename;
  await expect(openFileBlobStore(join(aFile, "packs"))).rejects.toMatchObject({ code: "StorageUnavailable" });
});

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

async function listed(store: BlobStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list("")) keys.push(key);
  return keys;
}
