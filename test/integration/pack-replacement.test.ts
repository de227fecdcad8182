// The transaction in which a compaction puts one pack in the place of many, beside those who want the same rows.
import { expect, test } from "vitest";
import { replacePacks } from "../../src/db/pack-compaction.ts";
import { listLivePacks, type NewPack } from "../../src/db/packs.ts";
import { deleteRepository, findRepository } from "../../src/db/repositories.ts";
import { writePack } from "../../src/git/pack-writer.ts";
import { prepareInline } from "../../src/repositories/prepare-pack.ts";
import { publishCommits, summarizePacks } from "../support/compaction.ts";
import { countWaiting } from "../support/count-waiting.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { addRepository, openTestStore, publishSmallCommit, smallCommit } from "../support/git-store.ts";
import { until } from "../support/until.ts";

type Database = TestDatabase["database"];

/** Some pack: what is in it is for others to judge. */
const joined = (): NewPack => prepareInline(writePack(smallCommit("joined").objects), "compact");

async function replaceAll(database: Database, repositoryId: string, takeBreak: () => Promise<void>): Promise<boolean> {
  return await database.transaction(async (tx) => {
    const replaced = (await listLivePacks(tx, repositoryId)).map(({ id }) => id);
    return await replacePacks(tx, repositoryId, { replaced, pack: joined(), takeBreak });
  });
}

test("whoever commits does not wait for the packs that are being replaced", async () => {
  await using world = await createTestDatabase();
  await using writer = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  const made = await publishCommits(writer.store, repository, { count: 5 });
  let committed = 0;
  const commit = async () => {
    await publishSmallCommit(writer.store, repository, { text: "meanwhile", expected: made.at(-1) ?? null });
    committed += 1;
  };
  expect(await replaceAll(world.database, repository.id, commit)).toBe(true);
  expect(committed).toBe(1);
  expect(await summarizePacks(world.database)).toEqual({ live: 2, retired: 5, compact: 1 });
});

test("a deletion waits for the packs that are being replaced, though somebody commits meanwhile, and then takes all of them", async () => {
  await using world = await createTestDatabase();
  await using writer = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  const made = await publishCommits(writer.store, repository, { count: 5 });
  let deletion: Promise<void> = Promise.resolve();
  const comeBetween = async () => {
    deletion = deleteRepository(world.database, repository.id);
    await until("the deletion waits", async () => (await countWaiting(world.database)) === 1);
    await publishSmallCommit(writer.store, repository, { text: "meanwhile", expected: made.at(-1) ?? null });
  };
  expect(await replaceAll(world.database, repository.id, comeBetween)).toBe(true);
  await deletion;
  expect(await findRepository(world.database, repository.namespace, repository.slug)).toBeNull();
  expect(await summarizePacks(world.database)).toEqual({ live: 0, retired: 0, compact: 0 });
});

test("packs of a repository that is gone are not replaced", async () => {
  await using world = await createTestDatabase();
  await using writer = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  await publishCommits(writer.store, repository, { count: 2 });
  const replaced = (await listLivePacks(world.database, repository.id)).map(({ id }) => id);
  await deleteRepository(world.database, repository.id);
  const takeBreak = () => Promise.resolve();
  const replacement = { replaced, pack: joined(), takeBreak };
  expect(await world.database.transaction((tx) => replacePacks(tx, repository.id, replacement))).toBe(false);
});
