// The collection of blobs that nobody names: what goes, what stays, and who wins against a publish.
import { describe, expect, test } from "vitest";
import type { BlobStore } from "../../src/blobs/blob-store.ts";
import type { Database } from "../../src/db/database.ts";
import { packKey } from "../../src/repositories/pack-fill.ts";
import type { PreparedPack, Repository } from "../../src/repositories/store.ts";
import { collectOrphans, ORPHAN_AGE_MS } from "../../src/repositories/upkeep/collect-orphans.ts";
import { createTestDatabase } from "../support/database.ts";
import {
  addRepository,
  chunked,
  commitOf,
  importHead,
  openTestStore,
  shallowPack,
  type TestStore,
} from "../support/git-store.ts";
import { S3_SERVER_DEADLINE_MS } from "../support/s3-server.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import { agedBlobs, BLOB_STORES, listKeys, putText } from "../support/stored-packs.ts";

const DAY_MS = 24 * 3_600_000;
const RETENTION_MS = 7 * DAY_MS;
const NEVER = new AbortController().signal;
/** Every pack goes to the blob store. */
const IN_BLOBS = { limits: { inlinePackBytes: 0 } };

type Place = { readonly database: Database; readonly blobs: BlobStore };

function task({ database, blobs }: Place, pageKeys?: number) {
  const options = { database, blobs, logger: silentLogger, retentionMs: RETENTION_MS };
  return collectOrphans(pageKeys === undefined ? options : { ...options, pageKeys });
}

/** Walks through the whole store as if the last walk were long ago. Gives the number of packs that went. */
async function walk(place: Place, pageKeys?: number): Promise<number> {
  await place.database.query("UPDATE blob_walks SET ended_at = '-infinity'");
  for (let done = 0; ; ) {
    const result = await task(place, pageKeys).run(NEVER);
    done += result.done;
    if (!result.hasMore) return done;
  }
}

/** Lets time pass for everything that was noted. */
async function passTime({ database }: Place, ms: number): Promise<void> {
  await database.query("UPDATE orphaned_packs SET seen_at = seen_at - $1 * interval '1 ms'", [ms]);
}

/** What a push does before it publishes. */
async function prepare(
  { store }: TestStore,
  repository: Repository,
  source: SourceRepository,
): Promise<{ readonly packs: PreparedPack[]; publish(): Promise<void> }> {
  const head = await source.head();
  await using quarantine = await store.quarantine(repository);
  await quarantine.receivePack(chunked(await shallowPack(source, head)), { shallowTips: [head] }, NEVER);
  const commit = commitOf(await source.tree(), [], `Import ${Math.random()}\n`);
  quarantine.addObjects([commit]);
  const packs = await quarantine.seal({ source: "import", dropCommits: true }, NEVER);
  const name = `refs/heads/${commit.oid.slice(0, 8)}-b`;
  const publication = { repositoryId: repository.id, packs, refs: [{ name, expected: null, next: commit.oid }] };
  return { packs, publish: () => store.publish({ ...publication, actor: "sync:1", reason: "import" }) };
}

describe.each(BLOB_STORES)("in the blob store %s", (_, openStore) => {
  test(
    "orphans go when they have been known for the retention time, and everything that a row names stays",
    async () => {
      await using stack = new AsyncDisposableStack();
      const { database } = stack.use(await createTestDatabase());
      const place = { database, blobs: agedBlobs(await openStore(stack, database), ORPHAN_AGE_MS + 60_000) };
      const source = stack.use(await createSourceRepository());
      const world = stack.use(await openTestStore(database, { ...IN_BLOBS, blobs: place.blobs }));
      await source.commit({ "a.txt": "a" });
      const repository = await addRepository(database);
      await importHead(world.store, repository, source);
      const named = await listKeys(place.blobs);
      expect(named.length).toBeGreaterThan(0);
      await putText(place.blobs, `${repository.id}/pack_lost.pack`);
      await putText(place.blobs, `${repository.id}/pack_lost.idx`);
      await putText(place.blobs, "repo_deleted/pack_half.idx");
      await putText(place.blobs, "repo_deleted/notes.txt");
      await putText(place.blobs, "readme");

      expect(await walk(place)).toBe(0);
      await passTime(place, RETENTION_MS - 60_000);
      expect(await walk(place)).toBe(0);
      await passTime(place, 120_000);
      // The two parts of a pack may come in different steps.
      expect(await walk(place, 2)).toBeGreaterThanOrEqual(2);
      expect(await listKeys(place.blobs)).toEqual([...named, "repo_deleted/notes.txt", "readme"].sort());
      expect(await walk(place)).toBe(0);
    },
    S3_SERVER_DEADLINE_MS,
  );
});

test("a blob younger than the age is not even noted, and one that is published meanwhile is forgotten", async () => {
  await using stack = new AsyncDisposableStack();
  const { database } = stack.use(await createTestDatabase());
  const source = stack.use(await createSourceRepository());
  const world = stack.use(await openTestStore(database, IN_BLOBS));
  await source.commit({ "a.txt": "a" });
  const prepared = await prepare(world, await addRepository(database), source);
  const noted = async () => (await database.query("SELECT FROM orphaned_packs")).rowCount;

  await walk({ database, blobs: agedBlobs(world.blobs, ORPHAN_AGE_MS - 60_000) });
  expect(await noted()).toBe(0);
  const old = { database, blobs: agedBlobs(world.blobs, ORPHAN_AGE_MS + 60_000) };
  await walk(old);
  expect(await noted()).toBe(prepared.packs.length);
  await prepared.publish();
  await passTime(old, 2 * RETENTION_MS);
  expect(await walk(old)).toBe(0);
  expect(await noted()).toBe(0);
});

test("nothing goes at once when the database is another than the one the blobs belong to", async () => {
  await using stack = new AsyncDisposableStack();
  const right = stack.use(await createTestDatabase());
  const wrong = stack.use(await createTestDatabase());
  const source = stack.use(await createSourceRepository());
  const world = stack.use(await openTestStore(right.database, IN_BLOBS));
  await source.commit({ "a.txt": "a" });
  await importHead(world.store, await addRepository(right.database), source);
  const before = await listKeys(world.blobs);
  const old = { database: wrong.database, blobs: agedBlobs(world.blobs, 365 * DAY_MS) };
  await walk(old);
  await passTime(old, RETENTION_MS / 2);
  await walk(old);
  expect(await listKeys(world.blobs)).toEqual(before);
});

/** Publishes after some round trips, while two collectors are at work. Whether it was published. */
async function race(place: Place, publish: () => Promise<void>, roundTrips: number): Promise<boolean> {
  const late = async () => {
    for (let trip = 0; trip < roundTrips; trip += 1) await place.database.query("SELECT 1");
    await publish();
  };
  const [publishing, ...walks] = await Promise.allSettled([late(), walk(place), walk(place)]);
  for (const { status } of walks) expect(status).toBe("fulfilled");
  if (publishing.status === "rejected") expect(publishing.reason).toMatchObject({ code: "Timeout" });
  return publishing.status === "fulfilled";
}

test("of a publish and the collection of its packs, exactly one happens, however they meet", async () => {
  await using stack = new AsyncDisposableStack();
  const { database } = stack.use(await createTestDatabase());
  const source = stack.use(await createSourceRepository());
  const world = stack.use(await openTestStore(database, IN_BLOBS));
  const place = { database, blobs: agedBlobs(world.blobs, 365 * DAY_MS) };
  const repository = await addRepository(database);
  const ends: boolean[] = [];
  for (let round = 0; round < 24; round += 1) {
    await source.commit({ "a.txt": `${round}` });
    const { packs, publish } = await prepare(world, repository, source);
    await walk(place);
    await passTime(place, 2 * RETENTION_MS);
    const isPublished = await race(place, publish, round);
    const keys = packs.flatMap(({ id }) => [packKey(repository.id, id, "idx"), packKey(repository.id, id, "pack")]);
    const stored = new Set(await listKeys(world.blobs, `${repository.id}/`));
    expect(keys.map((key) => stored.has(key))).toEqual(keys.map(() => isPublished));
    ends.push(isPublished);
  }
  expect(new Set(ends)).toEqual(new Set([true, false]));
});

test("a collector killed after any step leaves what the next one finishes", async () => {
  await using stack = new AsyncDisposableStack();
  const { database } = stack.use(await createTestDatabase());
  const world = stack.use(await openTestStore(database));
  const place = { database, blobs: agedBlobs(world.blobs, 365 * DAY_MS) };
  const repository = await addRepository(database);
  for (const part of ["pack", "idx"]) await putText(world.blobs, `${repository.id}/pack_lost.${part}`);
  await walk(place);
  await passTime(place, 2 * RETENTION_MS);
  for (const allowed of [0, 1]) {
    let deletions = 0;
    const dying: BlobStore = Object.assign(Object.create(place.blobs) as BlobStore, {
      list: place.blobs.list,
      async delete(key: string) {
        if (deletions === allowed) throw new Error("killed");
        deletions += 1;
        await world.blobs.delete(key);
      },
    });
    await expect(walk({ database, blobs: dying })).rejects.toThrow("killed");
    expect(await listKeys(world.blobs)).toHaveLength(2 - allowed);
  }
  expect(await walk(place)).toBe(1);
  expect(await listKeys(world.blobs)).toEqual([]);
});

test("walks of several processes share one way through the store and rest between", async () => {
  await using stack = new AsyncDisposableStack();
  const { database } = stack.use(await createTestDatabase());
  const world = stack.use(await openTestStore(database));
  for (let index = 0; index < 50; index += 1) await putText(world.blobs, `repo_x/pack_${index}.pack`);
  let listed = 0;
  const counting = Object.assign(Object.create(agedBlobs(world.blobs, 365 * DAY_MS)) as BlobStore, {
    async *list(...range: Parameters<BlobStore["list"]>) {
      for await (const blob of agedBlobs(world.blobs, 365 * DAY_MS).list(...range)) {
        listed += 1;
        yield blob;
      }
    },
  });
  const place = { database, blobs: counting };
  const first = await task(place, 2).run(NEVER);
  expect(first).toEqual({ done: 0, hasMore: true });
  expect(listed).toBe(40);
  // Another process goes on where the first one stopped, and the walk is at its end for both.
  expect(await task(place, 2).run(NEVER)).toEqual({ done: 0, hasMore: false });
  expect(listed).toBe(50);
  expect(await task(place, 2).run(NEVER)).toEqual({ done: 0, hasMore: false });
  expect(listed).toBe(50);
  expect((await database.query("SELECT FROM orphaned_packs")).rowCount).toBe(50);
});
