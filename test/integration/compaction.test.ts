// Compaction on a real database with native git: nothing that was ever published is lost, and packs stay few.
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { encodeTree, newObject } from "../../src/domain/object-codec.ts";
import type { Oid } from "../../src/domain/oid.ts";
import type { Repository } from "../../src/repositories/store.ts";
import { publishCommits, summarizePacks } from "../support/compaction.ts";
import { createTestDatabase } from "../support/database.ts";
import { expectCleanRepository } from "../support/fsck.ts";
import { git } from "../support/git.ts";
import { addRepository, importHead, openTestStore, publishSmallCommit, type TestStore } from "../support/git-store.ts";
import { createSourceRepository, manyFiles } from "../support/source-repository.ts";

const signal = AbortSignal.timeout(120_000);

/** The history as a process that has seen nothing of it finds it. */
async function readHistory({ store }: TestStore, repository: Repository): Promise<string[]> {
  const view = await store.view(repository);
  await expectCleanRepository(view);
  await git(["--git-dir", view, "rev-list", "--objects", "--all"]);
  return (await git(["--git-dir", view, "rev-list", "--reverse", "main"])).split("\n");
}

test("history stays whole through commits and compactions, and its packs in geometric order", async () => {
  await using world = await createTestDatabase();
  await using writer = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  let made: Oid[] = [];
  for (const count of [30, 30, 70, 30, 90, 30]) {
    made = await publishCommits(writer.store, repository, { count, onto: made });
    expect(await writer.store.compact(repository.id, signal)).toBeGreaterThanOrEqual(count);
    const { rows } = await world.database.query<{ objects: number }>(
      "SELECT object_count AS objects FROM packs WHERE retired_at IS NULL ORDER BY object_count",
    );
    for (const [index, { objects }] of rows.entries())
      expect(objects).toBeGreaterThanOrEqual(2 * (rows[index - 1]?.objects ?? 0));
    expect(rows.reduce((sum, { objects }) => sum + objects, 0)).toBe(made.length * 3);
  }
  await using reader = await openTestStore(world.database);
  expect(await readHistory(reader, repository)).toEqual(made);
  for (const oid of made) {
    const { tree } = await reader.store.reader(repository).readCommit(oid);
    const [entry] = await reader.store.reader(repository).readTree(tree);
    expect(Buffer.from(await reader.store.reader(repository).readBlob(entry?.oid as Oid)).toString()).toMatch(/^refs/);
  }
});

test.each([
  ["in the row, as it is small", {}, true],
  ["in the blob store, as it is large", { inlinePackBytes: 1_000 }, false],
])("the joined pack is %s", async (_, limits, isInline) => {
  await using world = await createTestDatabase();
  await using writer = await openTestStore(world.database, { limits });
  const repository = await addRepository(world.database);
  const made = await publishCommits(writer.store, repository, { count: 20 });
  expect(await writer.store.compact(repository.id, signal)).toBe(20);
  const { rows } = await world.database.query(
    "SELECT source, object_count AS objects, pack_bytes IS NOT NULL AS inline FROM packs WHERE retired_at IS NULL",
  );
  expect(rows).toEqual([{ source: "compact", objects: 60, inline: isInline }]);
  await using reader = await openTestStore(world.database);
  expect(await readHistory(reader, repository)).toEqual(made);
});

test("objects that no ref leads to are kept: what a ref was moved from, and trees without a commit", async () => {
  await using world = await createTestDatabase();
  await using writer = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  const [first = "" as Oid, second = "" as Oid] = await publishCommits(writer.store, repository, { count: 2 });
  const forced = await publishSmallCommit(writer.store, repository, { text: "other", expected: null, ref: "refs/heads/other" });
  const refs = [{ name: "refs/heads/main", expected: second, next: forced }];
  const blob = newObject("blob", Buffer.from("of a tree alone"));
  const tree = newObject("tree", encodeTree([{ name: "a", mode: "100644", oid: blob.oid }]));
  // A tree whose only blob is nowhere: as in a quarantine that dropped it, packing must not need it.
  const dangling = newObject("tree", encodeTree([{ name: "b", mode: "100644", oid: newObject("blob", Buffer.from("x")).oid }]));
  const packs = [writer.store.buildPack([blob, tree], "import"), writer.store.buildPack([dangling], "import")];
  await writer.store.publish({ repositoryId: repository.id, packs, refs, actor: "master", reason: "force" });
  expect(await writer.store.compact(repository.id, signal)).toBe(5);
  const { rows } = await world.database.query("SELECT object_count AS objects FROM packs WHERE retired_at IS NULL");
  expect(rows).toEqual([{ objects: 12 }]);
  await using fresh = await openTestStore(world.database);
  const reader = fresh.store.reader(repository);
  expect((await reader.readCommit(second)).parents).toEqual([first]);
  expect(await reader.readTree(tree.oid)).toEqual([{ name: "a", mode: "100644", oid: blob.oid }]);
  expect(Buffer.from(await reader.readBlob(blob.oid)).toString()).toBe("of a tree alone");
  // fsck of the view must not find the missing blob, so the tree goes before the stores are checked.
  await world.database.query("DELETE FROM repositories");
  await writer.store.remove(repository.id);
  await fresh.store.remove(repository.id);
});

test("imports with deltas are joined with commits that leave their files as they are", async () => {
  await using world = await createTestDatabase();
  await using source = await createSourceRepository();
  await using writer = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  await source.commit(manyFiles(40));
  let head = await importHead(writer.store, repository, source);
  await source.commit({ "file-0.txt": "changed\n" });
  head = await importHead(writer.store, repository, source, head);
  const made = await publishCommits(writer.store, repository, { count: 40, onto: [head] });
  expect(await writer.store.compact(repository.id, signal)).toBeGreaterThan(40);
  await using reader = await openTestStore(world.database);
  expect((await readHistory(reader, repository)).slice(-41)).toEqual(made);
});

test.each([40, 100])("%i versions of one file take little more room than one, once they are joined", async (count) => {
  await using world = await createTestDatabase();
  await using writer = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  // Does not compress by itself, so that what becomes smaller does so by deltas.
  const text = randomBytes(6_000).toString("hex");
  let head: Oid | null = null;
  for (let version = 0; version < count; version += 1) {
    head = await publishSmallCommit(writer.store, repository, { text: `${text} ${version}`, expected: head });
  }
  const size = async () => {
    const sql = "SELECT sum(pack_size)::int AS bytes FROM packs WHERE retired_at IS NULL";
    return (await world.database.query<{ bytes: number }>(sql)).rows[0]?.bytes ?? 0;
  };
  const before = await size();
  expect(await writer.store.compact(repository.id, signal)).toBe(count);
  expect(await size()).toBeLessThan(before / 10);
});

test("nothing is written when there is nothing to join", async () => {
  await using world = await createTestDatabase();
  await using writer = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  const state = async () =>
    (await world.database.query("SELECT version, (SELECT json_agg(packs.*) FROM packs) AS packs FROM repositories")).rows;
  expect(await writer.store.compact(repository.id, signal)).toBe(0);
  await publishCommits(writer.store, repository, { count: 10 });
  await writer.store.compact(repository.id, signal);
  const before = await state();
  for (let round = 0; round < 3; round += 1) expect(await writer.store.compact(repository.id, signal)).toBe(0);
  expect(await state()).toEqual(before);
  expect(await summarizePacks(world.database)).toEqual({ live: 1, retired: 10, compact: 1 });
});

test("a repository that is gone is nothing to compact", async () => {
  await using world = await createTestDatabase();
  await using writer = await openTestStore(world.database);
  expect(await writer.store.compact("repo_gone", signal)).toBe(0);
});

test("a pack whose bytes are not those that were published stops the compaction of its repository", async () => {
  await using world = await createTestDatabase();
  await using writer = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  await publishCommits(writer.store, repository, { count: 5 });
  const damage =
    "UPDATE packs SET pack_bytes = set_byte(pack_bytes, 30, get_byte(pack_bytes, 30) # 1) WHERE id = (SELECT min(id) FROM packs)";
  await world.database.query(damage);
  await expect(writer.store.compact(repository.id, signal)).rejects.toMatchObject({ code: "StorageCorrupt" });
  expect(await summarizePacks(world.database)).toEqual({ live: 5, retired: 0, compact: 0 });
});
