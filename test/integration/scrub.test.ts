// The scrub finds what a disk lost, says so, keeps it for others to see, and repairs it where the right bytes are at hand.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Database } from "../../src/db/database.ts";
import { type DamagedPack, listDamagedPacks } from "../../src/db/pack-checks.ts";
import { systemClock } from "../../src/domain/clock.ts";
import type { Logger } from "../../src/domain/log.ts";
import type { Repository } from "../../src/repositories/store.ts";
import { CHECK_PERIOD_MS, scrub } from "../../src/repositories/upkeep/scrub.ts";
import { countPlaced, publishCommits } from "../support/compaction.ts";
import { createTestDatabase } from "../support/database.ts";
import { git } from "../support/git.ts";
import { addRepository, importHead, openTestStore, publishSmallCommit, type TestStore } from "../support/git-store.ts";
import { S3_SERVER_DEADLINE_MS } from "../support/s3-server.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { createSourceRepository } from "../support/source-repository.ts";
import { BLOB_STORES, flipBit, listKeys } from "../support/stored-packs.ts";

const NEVER = new AbortController().signal;
const FLIP_INLINE =
  "UPDATE packs SET pack_bytes = set_byte(pack_bytes, 30, get_byte(pack_bytes, 30) # 1) WHERE pack_bytes IS NOT NULL";

type Found = { readonly checked: string[]; readonly errors: Readonly<Record<string, unknown>>[]; damaged: number };

/** Checks all packs as if each were due. */
async function scrubAll(database: Database, { blobs, cacheDir }: Pick<TestStore, "blobs" | "cacheDir">): Promise<Found> {
  const found: Found = { checked: [], errors: [], damaged: -1 };
  const error: Logger["error"] = (fields: Readonly<Record<string, unknown>> | string) => {
    if (typeof fields !== "string") found.errors.push(fields);
  };
  const metrics = {
    packChecked: (result: string) => void found.checked.push(result),
    damagedPacks: (count: number) => {
      found.damaged = count;
    },
  };
  await database.query("UPDATE packs SET next_check_at = now()");
  const options = { database, blobs, cacheDir, clock: systemClock, logger: { ...silentLogger, error }, metrics };
  await scrub({ ...options, bytesPerSecond: Number.POSITIVE_INFINITY }).run(NEVER);
  return found;
}

async function damagedPacks(database: Database): Promise<readonly DamagedPack[]> {
  return (await listDamagedPacks(database, 10)).packs;
}

/** An import with its packs in the blob store. */
async function openWorld(stack: AsyncDisposableStack, openStore = BLOB_STORES[0]?.[1]) {
  const { database } = stack.use(await createTestDatabase());
  const blobs = await openStore?.(stack, database);
  const source = stack.use(await createSourceRepository());
  const world = stack.use(await openTestStore(database, { limits: { inlinePackBytes: 0 }, ...(blobs && { blobs }) }));
  const repository = await addRepository(database);
  await source.commit({ "a.txt": "a\n".repeat(100) });
  await importHead(world.store, repository, source);
  return { database, world, repository, tree: await source.tree() };
}

async function dropView({ cacheDir }: TestStore, { id }: Repository): Promise<void> {
  await rm(join(cacheDir, "views", id), { recursive: true, force: true });
}

test.each(BLOB_STORES)(
  "in the blob store %s a flipped bit and a lost blob are found, told with repository and pack, and deleted by nobody",
  async (_, openStore) => {
    await using stack = new AsyncDisposableStack();
    const { database, world, repository } = await openWorld(stack, openStore);
    expect((await scrubAll(database, world)).checked).toEqual(["sound", "sound"]);
    await dropView(world, repository);
    const [first = "", ...others] = await listKeys(world.blobs);
    await flipBit(world.blobs, first);
    const lost = others.at(-1) ?? "";
    await world.blobs.delete(lost);
    const rows = (await database.query("SELECT id FROM packs")).rowCount;

    const found = await scrubAll(database, world);
    expect(found.checked).toEqual(["damaged", "damaged"]);
    expect(found.damaged).toBe(2);
    expect(found.errors).toHaveLength(2);
    for (const fields of found.errors) {
      expect(fields).toMatchObject({
        repositoryId: repository.id,
        pack: expect.stringMatching(/^pack_/),
        damage: expect.any(String),
      });
    }
    const damages = (await damagedPacks(database)).map(({ slug, damage }) => `${slug}: ${damage}`).sort();
    expect(damages).toEqual(["site: Its data is missing.", "site: Its index does not have the bytes that were published."]);
    expect((await listKeys(world.blobs)).length).toBe(others.length);
    expect((await database.query("SELECT id FROM packs WHERE retired_at IS NULL")).rowCount).toBe(rows);
    await database.query("DELETE FROM repositories");
  },
  S3_SERVER_DEADLINE_MS,
);

test("a damaged pack is replaced by the good copy of a local view, and the repository can be read anew", async () => {
  await using stack = new AsyncDisposableStack();
  const { database, world, repository, tree } = await openWorld(stack);
  await publishSmallCommit(world.store, repository, { text: "b", expected: null, ref: "refs/heads/b" });
  await world.store.view(repository);
  const keys = await listKeys(world.blobs);
  for (const key of keys) await flipBit(world.blobs, key);
  await database.query(FLIP_INLINE);

  const found = await scrubAll(database, world);
  expect(found.checked).toEqual(["repaired", "repaired", "repaired"]);
  expect(found.damaged).toBe(0);
  expect(found.errors.map(({ copy }) => copy)).toEqual(Array(3).fill(expect.stringMatching(/^pack_/)));
  expect(await listKeys(world.blobs)).toEqual(expect.arrayContaining(keys));
  await using fresh = await openTestStore(database, { blobs: world.blobs });
  const view = await fresh.store.view(repository);
  expect(await git(["--git-dir", view, "rev-parse", "main^{tree}"])).toBe(tree);
  expect((await scrubAll(database, fresh)).checked).toEqual(["sound", "sound", "sound"]);
});

test("damaged small packs are replaced by what a view has of them in a file of many", async () => {
  await using stack = new AsyncDisposableStack();
  const { database } = stack.use(await createTestDatabase());
  const writer = stack.use(await openTestStore(database));
  const repository = await addRepository(database);
  const made = await publishCommits(writer.store, repository, { count: 70 });
  const world = stack.use(await openTestStore(database));
  await world.store.view(repository);
  expect(await countPlaced(world.cacheDir, repository)).toBe(1);
  await database.query(FLIP_INLINE);

  const found = await scrubAll(database, world);
  expect(found.checked).toEqual(made.map(() => "repaired"));
  expect(found.damaged).toBe(0);
  const fresh = stack.use(await openTestStore(database));
  const listed = await git(["--git-dir", await fresh.store.view(repository), "rev-list", "--reverse", "main"]);
  expect(listed.split("\n")).toEqual(made);
});

test("a view whose bytes are wrong too repairs nothing", async () => {
  await using stack = new AsyncDisposableStack();
  const { database, world, repository } = await openWorld(stack);
  await publishSmallCommit(world.store, repository, { text: "b", expected: null, ref: "refs/heads/b" });
  const before = await listKeys(world.blobs);
  // What the rows say was published is neither what is stored nor what the view has.
  await database.query("UPDATE packs SET idx_sha256 = sha256('something else')");
  const found = await scrubAll(database, world);
  expect(found.checked).toEqual(["damaged", "damaged", "damaged"]);
  expect(await listKeys(world.blobs)).toEqual(before);
});

test("a pack is checked once in the period, a damaged one again soon, and one of compaction at once", async () => {
  await using stack = new AsyncDisposableStack();
  const { database, world, repository } = await openWorld(stack);
  const dueInMs = async () => {
    const sql = "SELECT extract(epoch FROM next_check_at - now()) * 1000 AS ms FROM packs WHERE retired_at IS NULL ORDER BY 1";
    return (await database.query<{ ms: string }>(sql)).rows.map(({ ms }) => Number(ms));
  };
  for (const ms of await dueInMs()) expect(Math.abs(ms - CHECK_PERIOD_MS)).toBeLessThan(60_000);
  await scrubAll(database, world);
  for (const ms of await dueInMs()) expect(Math.abs(ms - CHECK_PERIOD_MS)).toBeLessThan(60_000);
  await world.store.publish({
    repositoryId: repository.id,
    packs: [world.store.buildPack([], "compact")],
    refs: [],
    actor: "master",
    reason: "test",
  });
  expect((await dueInMs())[0]).toBeLessThanOrEqual(0);
  await dropView(world, repository);
  for (const key of await listKeys(world.blobs)) await world.blobs.delete(key);
  await scrubAll(database, world);
  expect((await dueInMs())[0]).toBeLessThan(CHECK_PERIOD_MS / 10);
  await database.query("DELETE FROM repositories");
});

test("two processes check each due pack once between them", async () => {
  await using stack = new AsyncDisposableStack();
  const { database, world, repository } = await openWorld(stack);
  for (let index = 0; index < 20; index += 1) {
    await publishSmallCommit(world.store, repository, { text: `${index}`, expected: null, ref: `refs/heads/b${index}` });
  }
  await database.query("UPDATE packs SET next_check_at = now() - interval '1 hour'");
  const metrics = { packChecked: () => undefined, damagedPacks: () => undefined };
  const options = { database, blobs: world.blobs, cacheDir: world.cacheDir, clock: systemClock, logger: silentLogger, metrics };
  const results = await Promise.all([scrub(options).run(NEVER), scrub(options).run(NEVER)]);
  expect(results.reduce((sum, { done }) => sum + done, 0)).toBe(22);
});
