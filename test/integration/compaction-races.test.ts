// Compaction beside everything else: other compactions, writers, readers, and death.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { BlobStore } from "../../src/blobs/blob-store.ts";
import { openBlobStore } from "../../src/blobs/open-blob-store.ts";
import type { Oid } from "../../src/domain/oid.ts";
import { startChildProgram } from "../support/child-program.ts";
import { ageRetired, countPlaced, publishCommits, summarizePacks } from "../support/compaction.ts";
import { createTestDatabase } from "../support/database.ts";
import { git } from "../support/git.ts";
import { addRepository, importHead, openTestStore } from "../support/git-store.ts";
import { createSourceRepository, manyFiles } from "../support/source-repository.ts";

const signal = AbortSignal.timeout(120_000);

test("two processes that compact at once replace each pack once", async () => {
  await using world = await createTestDatabase();
  await using first = await openTestStore(world.database);
  await using second = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  const made = await publishCommits(first.store, repository, { count: 60 });
  const replaced = await Promise.all([first, second, first, second].map(({ store }) => store.compact(repository.id, signal)));
  expect(replaced.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 60]);
  expect(await summarizePacks(world.database)).toEqual({ live: 1, retired: 60, compact: 1 });
  for (const { store } of [first, second])
    expect(await git(["--git-dir", await store.view(repository), "rev-parse", "main"])).toBe(made.at(-1));
});

test("a compaction whose packs somebody else has retired meanwhile writes nothing", async () => {
  await using world = await createTestDatabase();
  await using stack = new AsyncDisposableStack();
  const stored = stack.use(await openBlobStore({ kind: "postgres" }, world.database));
  const blobs: BlobStore = Object.assign(Object.create(stored), {
    async put(...args: Parameters<BlobStore["put"]>) {
      await stored.put(...args);
      await world.database.query("UPDATE packs SET retired_at = now() WHERE id = (SELECT min(id) FROM packs)");
    },
  });
  await using late = await openTestStore(world.database, { blobs, limits: { inlinePackBytes: 1_000 } });
  const repository = await addRepository(world.database);
  await publishCommits(late.store, repository, { count: 20 });
  expect(await late.store.compact(repository.id, signal)).toBe(0);
  expect(await summarizePacks(world.database)).toEqual({ live: 19, retired: 1, compact: 0 });
});

test("commits and imports that race with compactions lose nothing", async () => {
  await using world = await createTestDatabase();
  await using source = await createSourceRepository();
  await using writer = await openTestStore(world.database);
  await using compactor = await openTestStore(world.database);
  await using pusher = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  await source.commit(manyFiles(20));
  const isOver = new AbortController();
  const compactAll = async () => {
    let replaced = 0;
    while (!isOver.signal.aborted) {
      for (const { store } of [compactor, writer]) replaced += await store.compact(repository.id, signal);
    }
    return replaced;
  };
  const readAll = async () => {
    while (!isOver.signal.aborted) {
      const view = await compactor.store.view(repository);
      await git(["--git-dir", view, "rev-list", "--objects", "--all", "--quiet"]);
      await compactor.store.trimViews(signal);
    }
  };
  const running = [compactAll(), readAll()] as const;
  const [made] = await Promise.all([
    publishCommits(writer.store, repository, { count: 150, ref: "refs/heads/work" }),
    importHead(pusher.store, repository, source),
  ]);
  isOver.abort();
  const [replaced] = await Promise.all(running);
  expect(replaced).toBeGreaterThan(0);
  await using reader = await openTestStore(world.database);
  const view = await reader.store.view(repository);
  expect((await git(["--git-dir", view, "rev-list", "--reverse", "work"])).split("\n")).toEqual(made);
  expect(await git(["--git-dir", view, "rev-parse", "main^{tree}"])).toBe(await source.tree());
  await git(["--git-dir", view, "rev-list", "--objects", "--all"]);
});

test("killed between the blob store and the transaction it leaves only garbage, and the next compaction does the work", async () => {
  await using world = await createTestDatabase();
  await using survivor = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  const made = await publishCommits(survivor.store, repository, { count: 30 });
  const cacheDir = await mkdtemp(join(tmpdir(), "coregit-killed-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(cacheDir, { recursive: true, force: true }));
  {
    await using program = startChildProgram("compact-and-hang.ts", [world.url, cacheDir, repository.id]);
    await program.firstLine;
    // As long as that process lives it has the repository to itself.
    expect(await survivor.store.compact(repository.id, signal)).toBe(0);
    await program.end("SIGKILL");
  }
  expect(await summarizePacks(world.database)).toEqual({ live: 30, retired: 0, compact: 0 });
  expect((await world.database.query("SELECT 1 FROM blobs")).rowCount).toBe(2);
  await expect.poll(() => survivor.store.compact(repository.id, signal), { timeout: 15_000 }).toBe(30);
  await using reader = await openTestStore(world.database);
  expect(await git(["--git-dir", await reader.store.view(repository), "rev-list", "--count", "main"])).toBe(String(made.length));
});

test("a reader whose view is from before the compaction goes on, and so does a git that has it open", async () => {
  await using world = await createTestDatabase();
  await using writer = await openTestStore(world.database);
  await using first = await openTestStore(world.database);
  await using second = await openTestStore(world.database, { cacheDir: first.cacheDir });
  const repository = await addRepository(world.database);
  const made = await publishCommits(writer.store, repository, { count: 40 });
  const [oldest = "" as Oid, next = "" as Oid] = made;
  const view = await first.store.view(repository);
  expect((await first.store.reader(repository).readCommit(oldest)).parents).toEqual([]);
  // It has looked at which packs there are, and into none but one.
  const open = spawn("git", ["--git-dir", view, "cat-file", "--batch-check"], { stdio: ["pipe", "pipe", "inherit"] });
  const ask = async (oid: Oid) => {
    open.stdin.write(`${oid}\n`);
    return String((await once(open.stdout, "data"))[0]);
  };
  expect(await ask(oldest)).toContain("commit");
  expect(await second.store.view(repository)).toBe(view);
  expect(await writer.store.compact(repository.id, signal)).toBe(40);
  await second.store.view(repository);
  await ageRetired(world.database, 60);
  expect(await second.store.trimViews(signal)).toBe(40);
  expect(await countPlaced(first.cacheDir, repository)).toBe(1);
  for (const oid of made) expect(await ask(oid)).toContain("commit");
  for (const oid of made) await first.store.reader(repository).readCommit(oid);
  expect((await first.store.reader(repository).readCommit(next)).parents).toEqual([oldest]);
  open.stdin.end();
  await once(open, "close");
});

test("another replica follows: it takes the joined pack and lets go of the others, once nobody has its view open", async () => {
  await using world = await createTestDatabase();
  await using writer = await openTestStore(world.database);
  await using replica = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  const made = await publishCommits(writer.store, repository, { count: 30 });
  const lease = await replica.store.leaseView(repository);
  await writer.store.view(repository);
  expect(await writer.store.compact(repository.id, signal)).toBe(30);
  expect(await countPlaced(writer.cacheDir, repository)).toBe(31);
  expect(await countPlaced(replica.cacheDir, repository)).toBe(30);
  await replica.store.view(repository);
  expect(await countPlaced(replica.cacheDir, repository)).toBe(31);
  // Retired just now: somebody may be on his way to them.
  for (const { store } of [writer, replica]) expect(await store.trimViews(signal)).toBe(0);
  await ageRetired(world.database, 60);
  expect(await writer.store.trimViews(signal)).toBe(30);
  expect(await replica.store.trimViews(signal)).toBe(0);
  lease[Symbol.dispose]();
  expect(await replica.store.trimViews(signal)).toBe(30);
  expect(await replica.store.trimViews(signal)).toBe(0);
  for (const { store, cacheDir } of [writer, replica]) {
    expect(await countPlaced(cacheDir, repository)).toBe(1);
    expect(await git(["--git-dir", await store.view(repository), "rev-parse", "main"])).toBe(made.at(-1));
  }
});

test("a view that is being read for long lets go of replaced packs in the end", async () => {
  await using world = await createTestDatabase();
  await using one = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  await publishCommits(one.store, repository, { count: 10 });
  using _lease = await one.store.leaseView(repository);
  await one.store.compact(repository.id, signal);
  await ageRetired(world.database, 11 * 60);
  expect(await one.store.trimViews(signal)).toBe(10);
});
