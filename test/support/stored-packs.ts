// What tests of upkeep need beside a git store: each kind of blob store, one whose blobs are older than they are, and a bit
// flipped in a stored pack.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BlobStore } from "../../src/blobs/blob-store.ts";
import { openBlobStore } from "../../src/blobs/open-blob-store.ts";
import type { Database } from "../../src/db/database.ts";
import { startS3Server } from "./s3-server.ts";

export type OpenStore = (stack: AsyncDisposableStack, database: Database) => Promise<BlobStore>;

/** Ways to open an empty blob store of each kind. */
export const BLOB_STORES: readonly (readonly [string, OpenStore])[] = [
  ["postgres", async (stack, database) => stack.use(await openBlobStore({ kind: "postgres" }, database))],
  [
    "file",
    async (stack, database) => {
      const directory = await mkdtemp(join(tmpdir(), "coregit-test-blobs-"));
      stack.defer(() => rm(directory, { recursive: true, force: true }));
      return stack.use(await openBlobStore({ kind: "file", directory }, database));
    },
  ],
  [
    "s3",
    async (stack, database) => {
      const server = stack.use(await startS3Server());
      return stack.use(await openBlobStore(await server.createBucket(), database));
    },
  ],
];

/** The same store, in which every blob was written `ageMs` earlier than it was. */
export function agedBlobs(blobs: BlobStore, ageMs: number): BlobStore {
  return Object.assign(Object.create(blobs) as BlobStore, {
    put: blobs.put.bind(blobs),
    putFile: blobs.putFile.bind(blobs),
    get: blobs.get.bind(blobs),
    size: blobs.size.bind(blobs),
    delete: blobs.delete.bind(blobs),
    async *list(...range: Parameters<BlobStore["list"]>) {
      for await (const blob of blobs.list(...range)) yield { ...blob, writtenAtMs: blob.writtenAtMs - ageMs };
    },
  });
}

export async function listKeys(blobs: BlobStore, prefix = ""): Promise<string[]> {
  return (await Array.fromAsync(blobs.list(prefix))).map(({ key }) => key);
}

/** Puts one text under a key. */
export async function putText(blobs: BlobStore, key: string, text = "bytes"): Promise<void> {
  const bytes = Buffer.from(text);
  await blobs.put(key, single(bytes), bytes.length);
}

/** Replaces a blob by itself with one bit of its middle the other way round. */
export async function flipBit(blobs: BlobStore, key: string): Promise<void> {
  const bytes = Buffer.concat(await Array.fromAsync(blobs.get(key)));
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await blobs.delete(key);
  await blobs.put(key, single(bytes), bytes.length);
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
