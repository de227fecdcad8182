// The end of packs that others replaced: when, in which order, and when not.
import { expect, test } from "vitest";
import type { BlobStore } from "../../src/blobs/blob-store.ts";
import type { Database } from "../../src/db/database.ts";
import { collectRetired, INLINE_RETENTION_MS } from "../../src/repositories/upkeep/collect-retired.ts";
import { createTestDatabase } from "../support/database.ts";
import { addRepository, importHead, openTestStore, publishSmallCommit } from "../support/git-store.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { createSourceRepository } from "../support/source-repository.ts";
import { listKeys } from "../support/stored-packs.ts";

const DAY_MS = 24 * 3_600_000;
const NEVER = new AbortController().signal;

function collect(database: Database, blobs: BlobStore, blobRetentionMs = 7 * DAY_MS) {
  return collectRetired({ database, blobs, logger: silentLogger, blobRetentionMs }).run(NEVER);
}

async function retire(database: Database, agoMs: number): Promise<void> {
  const sql = "UPDATE packs SET retired_at = now() - $1 * interval '1 ms' WHERE id LIKE 'pack_%' AND damage IS NULL";
  await database.query(sql, [agoMs]);
}

/** A repository of one pack in its row and, by an import, packs in the blob store. */
async function openWorld(stack: AsyncDisposableStack) {
  const { database } = stack.use(await createTestDatabase());
  const source = stack.use(await createSourceRepository());
  const world = stack.use(await openTestStore(database, { limits: { inlinePackBytes: 0 } }));
  const repository = await addRepository(database);
  await source.commit({ "a.txt": "a" });
  await importHead(world.store, repository, source);
  await publishSmallCommit(world.store, repository, { text: "b", expected: null, ref: "refs/heads/b" });
  const counts = async () => ({
    rows: (await database.query("SELECT FROM packs")).rowCount,
    blobs: (await listKeys(world.blobs)).length,
  });
  return { database, world, repository, counts, before: await counts() };
}

test("a pack in its row goes after a day, one in the blob store after the retention time, and no live one ever", async () => {
  await using stack = new AsyncDisposableStack();
  const { database, world, counts, before } = await openWorld(stack);
  expect(await collect(database, world.blobs)).toEqual({ done: 0, hasMore: false });
  await retire(database, INLINE_RETENTION_MS - 60_000);
  expect(await collect(database, world.blobs)).toEqual({ done: 0, hasMore: false });
  await retire(database, INLINE_RETENTION_MS + 60_000);
  expect(await collect(database, world.blobs)).toEqual({ done: 1, hasMore: false });
  expect(await counts()).toEqual({ rows: before.rows - 1, blobs: before.blobs });
  await retire(database, 7 * DAY_MS + 60_000);
  // Two processes at once share the work.
  const turns = await Promise.all([collect(database, world.blobs), collect(database, world.blobs)]);
  expect(turns.reduce((sum, { done }) => sum + done, 0)).toBe(before.rows - 1);
  expect(await counts()).toEqual({ rows: 0, blobs: 0 });
});

test("no setting makes the blobs of a retired pack go within a day", async () => {
  await using stack = new AsyncDisposableStack();
  const { database, world, counts, before } = await openWorld(stack);
  await retire(database, DAY_MS - 60_000);
  await collect(database, world.blobs, 0);
  expect(await counts()).toEqual(before);
});

test("retired packs stay while a live pack of their repository is damaged", async () => {
  await using stack = new AsyncDisposableStack();
  const { database, world, counts, before } = await openWorld(stack);
  await database.query("UPDATE packs SET damage = 'Its data is missing.' WHERE pack_bytes IS NOT NULL");
  await retire(database, 365 * DAY_MS);
  expect((await collect(database, world.blobs)).done).toBe(0);
  expect(await counts()).toEqual(before);
  await database.query("UPDATE packs SET damage = NULL");
  expect((await collect(database, world.blobs)).done).toBe(before.rows - 1);
  expect(await counts()).toEqual({ rows: 1, blobs: 0 });
});

test("killed between the row and its blobs it leaves blobs without a row, never a row without blobs", async () => {
  await using stack = new AsyncDisposableStack();
  const { database, world, counts, before } = await openWorld(stack);
  const other = await addRepository(database, "other");
  await publishSmallCommit(world.store, other, { text: "c", expected: null });
  await retire(database, 365 * DAY_MS);
  const dying: BlobStore = Object.assign(Object.create(world.blobs) as BlobStore, {
    delete: async () => Promise.reject(new Error("killed")),
  });
  await expect(collect(database, dying)).rejects.toThrow("killed");
  expect(await counts()).toEqual({ rows: 0, blobs: before.blobs });
});
