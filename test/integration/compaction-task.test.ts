// When compaction happens: which repositories are found, at what cost, and what a cold view costs meanwhile.
import { expect, test } from "vitest";
import type { Database } from "../../src/db/database.ts";
import { compactTask } from "../../src/repositories/upkeep/compact-task.ts";
import { openStoreUpkeep } from "../../src/repositories/upkeep/open-store-upkeep.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { ageRetired, countPlaced, publishCommits, summarizePacks } from "../support/compaction.ts";
import { createTestDatabase } from "../support/database.ts";
import { git } from "../support/git.ts";
import { addRepository, openTestStore, type TestStore } from "../support/git-store.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { until } from "../support/until.ts";

const signal = AbortSignal.timeout(120_000);

/** A database that keeps the statements that pass through it. */
function observed(database: Database): { readonly database: Database; readonly statements: string[] } {
  const statements: string[] = [];
  const proxy: Database = Object.assign(Object.create(database), {
    query: (text: string, ...rest: []) => {
      statements.push(text);
      return database.query(text, ...rest);
    },
    listen: (...given: Parameters<Database["listen"]>) => database.listen(...given),
    transaction: <T>(work: Parameters<typeof database.transaction<T>>[0]) => database.transaction(work),
    isReachable: (timeoutMs: number) => database.isReachable(timeoutMs),
  });
  return { database: proxy, statements };
}

function taskOver(given: Database, { store }: TestStore) {
  const { database, statements } = observed(given);
  const metrics = createMetrics("test");
  const clock = { nowMs: 0, now: () => clock.nowMs, monotonic: () => clock.nowMs };
  const task = compactTask({ database, store, clock, metrics: metrics.upkeep });
  return { task, statements, clock, page: () => metrics.page.render() };
}

test("a repository with many packs is found by what moves in it, and one with few is left alone", async () => {
  await using world = await createTestDatabase();
  await using one = await openTestStore(world.database);
  const [busy, calm] = [await addRepository(world.database, "busy"), await addRepository(world.database, "calm")];
  const { task, statements, page } = taskOver(world.database, one);
  expect(await task.run(signal)).toEqual({ done: 0, hasMore: false });
  await publishCommits(one.store, busy, { count: 49 });
  await publishCommits(one.store, calm, { count: 20 });
  await until("the notifications are here", async () => {
    statements.length = 0;
    await task.run(signal);
    return statements.length > 0;
  });
  expect(await summarizePacks(world.database)).toEqual({ live: 69, retired: 0, compact: 0 });
  await publishCommits(one.store, busy, { count: 1, ref: "refs/heads/more" });
  await until("the busy one is compacted", async () => (await task.run(signal)).done === 50);
  expect(await task.run(signal)).toEqual({ done: 0, hasMore: false });
  expect(await summarizePacks(world.database)).toEqual({ live: 21, retired: 50, compact: 1 });
  expect(await page()).toContain("coregit_compaction_replaced_packs_total 50");
});

test("idle it asks the database nothing, but looks at everything now and then", async () => {
  await using world = await createTestDatabase();
  await using one = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  await publishCommits(one.store, repository, { count: 60 });
  // What happened before this process listened is found by its first look.
  const { task, statements, clock, page } = taskOver(world.database, one);
  expect(await task.run(signal)).toEqual({ done: 60, hasMore: false });
  expect(await page()).toContain("coregit_live_packs 60");
  await task.run(signal);
  statements.length = 0;
  for (let turn = 0; turn < 10; turn += 1) await task.run(signal);
  expect(statements).toEqual([]);
  clock.nowMs += 11 * 60_000;
  await task.run(signal);
  expect(statements).toHaveLength(2);
  expect(await page()).toContain("coregit_live_packs 1\n");
});

test("a repository that cannot be compacted does not keep the others from it, and is left alone for a while", async () => {
  await using world = await createTestDatabase();
  await using one = await openTestStore(world.database);
  const [broken, sound] = [await addRepository(world.database, "broken"), await addRepository(world.database, "sound")];
  await publishCommits(one.store, broken, { count: 70 });
  await publishCommits(one.store, sound, { count: 60 });
  const damage = (sign: string) =>
    world.database.query(
      `UPDATE packs SET object_count = object_count, pack_sha256 = set_byte(pack_sha256, 0, get_byte(pack_sha256, 0) ${sign}) WHERE repository_id = $1`,
      [broken.id],
    );
  await damage("# 1");
  const { task, clock } = taskOver(world.database, one);
  await expect(task.run(signal)).rejects.toMatchObject({ code: "StorageCorrupt" });
  expect(await task.run(signal)).toEqual({ done: 60, hasMore: false });
  await damage("# 1");
  expect(await task.run(signal)).toEqual({ done: 0, hasMore: false });
  clock.nowMs += 11 * 60_000;
  expect(await task.run(signal)).toEqual({ done: 70, hasMore: false });
});

test("the store's upkeep compacts and trims by itself while commits come in", async () => {
  await using world = await createTestDatabase();
  await using one = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  const metrics = createMetrics("test");
  const made = await publishCommits(one.store, repository, { count: 55 });
  const random = () => 0;
  const parts = { database: world.database, blobs: one.blobs, store: one.store, logger: silentLogger, random };
  await using _upkeep = openStoreUpkeep({
    ...parts,
    cacheDir: one.cacheDir,
    packRetentionMs: 7 * 24 * 3_600_000,
    clock: { now: Date.now, monotonic: () => performance.now() },
    metrics: metrics.upkeep,
  });
  await until("packs are joined", async () => (await summarizePacks(world.database)).compact === 1);
  expect(await git(["--git-dir", await one.store.view(repository), "rev-parse", "main"])).toBe(made.at(-1));
  await until("it is counted", async () =>
    (await metrics.page.render()).includes('coregit_upkeep_done_total{task="compact"} 55'),
  );
});

test("a cold view takes many small packs with one question and as one, also when it goes on and is taken over", async () => {
  await using world = await createTestDatabase();
  await using writer = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  let made = await publishCommits(writer.store, repository, { count: 150 });
  const { database, statements } = observed(world.database);
  await using cold = await openTestStore(database);
  const history = async ({ store }: TestStore) =>
    (await git(["--git-dir", await store.view(repository), "rev-list", "--objects", "--no-object-names", "--all"])).split("\n")
      .length;
  expect(await history(cold)).toBe(450);
  expect(statements.filter((text) => text.includes("pack_bytes AS pack"))).toHaveLength(1);
  expect(await countPlaced(cold.cacheDir, repository)).toBe(1);
  made = await publishCommits(writer.store, repository, { count: 3, onto: made });
  expect(await history(cold)).toBe(459);
  expect(await countPlaced(cold.cacheDir, repository)).toBe(4);
  // Another process does not know whether what it finds is whole, so it takes the packs again.
  await using next = await openTestStore(world.database, { cacheDir: cold.cacheDir });
  expect(await history(next)).toBe(459);
  expect(await history(cold)).toBe(459);
  expect(await writer.store.compact(repository.id, signal)).toBe(153);
  expect(await history(next)).toBe(459);
  expect(await next.store.trimViews(signal)).toBe(0);
  await ageRetired(world.database, 60);
  expect(await next.store.trimViews(signal)).toBeGreaterThanOrEqual(4);
  expect(await countPlaced(cold.cacheDir, repository)).toBe(1);
  for (const process of [cold, next]) expect(await history(process)).toBe(459);
});
