// What the local cache does when room is short, bytes are wrong, or its owner is killed.
import { chmod, mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Database } from "../../src/db/database.ts";
import type { CoregitError } from "../../src/domain/errors.ts";
import type { Repository } from "../../src/repositories/store.ts";
import { startChildProgram } from "../support/child-program.ts";
import { createTestDatabase } from "../support/database.ts";
import { git, tryGit } from "../support/git.ts";
import {
  addRepository,
  importHead,
  openTestStore,
  publishSmallCommit,
  shallowPack,
  type TestStore,
} from "../support/git-store.ts";
import { createSourceRepository, manyFiles } from "../support/source-repository.ts";

const MINUTE_MS = 60_000;

async function listViews(cacheDir: string): Promise<string[]> {
  return (await readdir(join(cacheDir, "views"))).toSorted();
}

test("when room is short the longest unused views go, and none that is in use", async () => {
  await using world = await createTestDatabase();
  const clock = { now: () => nowMs, monotonic: () => nowMs };
  let nowMs = Date.now();
  await using full = await openTestStore(world.database);
  await using small = await openTestStore(world.database, { cacheMaxBytes: 2_500, clock });
  const repositories: Repository[] = [];
  const heads: string[] = [];
  for (const slug of ["a", "b", "c"]) {
    const repository = await addRepository(world.database, slug);
    repositories.push(repository);
    heads.push(await publishSmallCommit(full.store, repository, { text: slug, expected: null }));
  }
  const [a, b, c] = repositories as [Repository, Repository, Repository];
  const lease = await small.store.leaseView(a);
  nowMs += 20 * MINUTE_MS;
  await small.store.view(b);
  nowMs += 20 * MINUTE_MS;
  await small.store.view(c);
  expect(await listViews(small.cacheDir)).toEqual(["repo_a", "repo_c"]);
  lease[Symbol.dispose]();
  nowMs += MINUTE_MS;
  expect(await git(["--git-dir", await small.store.view(b), "rev-parse", "main"])).toBe(heads[1]);
  expect(await listViews(small.cacheDir)).toEqual(["repo_b", "repo_c"]);
  expect((await small.store.reader(a).log(await small.store.reader(a).resolveCommit("main"), { limit: 1, skip: 0 })).length).toBe(
    1,
  );
});

/** The view is refused, and the pack that the error names is not in it. */
async function expectCorrupt({ store, cacheDir }: TestStore, repository: Repository, database: Database): Promise<void> {
  const error: unknown = await store.view(repository).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "StorageCorrupt", details: { pack: expect.any(String) } });
  const { details } = error as CoregitError;
  const { rows } = await database.query<{ name: string }>("SELECT name FROM packs WHERE id = $1", [details.pack]);
  const placed = await readdir(join(cacheDir, "views", repository.id, "objects", "pack"));
  expect(placed).not.toContain(`pack-${rows[0]?.name}.pack`);
}

test.each([
  ["in a row", 1, "UPDATE packs SET pack_bytes = set_byte(pack_bytes, 30, get_byte(pack_bytes, 30) # 1)"],
  [
    "in the blob store",
    3_000,
    "UPDATE blob_parts SET bytes = set_byte(bytes, 5000, get_byte(bytes, 5000) # 1) WHERE key LIKE '%.pack' AND part = 0",
  ],
  [
    "of an index",
    3_000,
    "UPDATE blob_parts SET bytes = set_byte(bytes, 5000, get_byte(bytes, 5000) # 1) WHERE key LIKE '%.idx' AND part = 0",
  ],
])("a changed byte %s is found before git sees it", async (_, fileCount, corruption) => {
  await using world = await createTestDatabase();
  await using source = await createSourceRepository();
  await using writer = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  await source.commit(manyFiles(fileCount));
  await importHead(writer.store, repository, source);
  expect((await world.database.query(corruption)).rowCount).toBeGreaterThan(0);
  await using reader = await openTestStore(world.database);
  await expectCorrupt(reader, repository, world.database);
});

test("a pack that a power cut left short in a view is filled again by the next process", async () => {
  await using world = await createTestDatabase();
  await using source = await createSourceRepository();
  await using stores = new AsyncDisposableStack();
  const cacheDir = await mkdtemp(join(tmpdir(), "coregit-cache-"));
  stores.defer(() => rm(cacheDir, { recursive: true, force: true }));
  const repository = await addRepository(world.database);
  await source.commit(manyFiles(3_000));
  let view = "";
  {
    await using before = await openTestStore(world.database, { cacheDir });
    await importHead(before.store, repository, source);
    view = await before.store.view(repository);
  }
  const packs = join(view, "objects", "pack");
  for (const file of await readdir(packs)) {
    await chmod(join(packs, file), 0o600);
    await truncate(join(packs, file), 100);
  }
  const after = stores.use(await openTestStore(world.database, { cacheDir }));
  expect(await git(["--git-dir", await after.store.view(repository), "rev-parse", "main^{tree}"])).toBe(await source.tree());
});

test("blobs that are gone are reported, and the view is not served", async () => {
  await using world = await createTestDatabase();
  await using source = await createSourceRepository();
  await using writer = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  await source.commit(manyFiles(3_000));
  await importHead(writer.store, repository, source);
  for await (const { key } of writer.blobs.list(`${repository.id}/`)) await writer.blobs.delete(key);
  await using reader = await openTestStore(world.database);
  await expect(reader.store.view(repository)).rejects.toMatchObject({ code: "ObjectMissing" });
});

test("two processes may share a cache folder, and both see what either published", async () => {
  await using world = await createTestDatabase();
  await using first = await openTestStore(world.database);
  await using second = await openTestStore(world.database, { cacheDir: first.cacheDir });
  const repository = await addRepository(world.database);
  let head = await publishSmallCommit(first.store, repository, { text: "0", expected: null });
  for (let round = 1; round <= 8; round += 1) {
    const [writer, reader] = round % 2 === 0 ? [first, second] : [second, first];
    head = await publishSmallCommit(writer.store, repository, { text: `${round}`, expected: head });
    const views = await Promise.all([reader, writer, reader].map(({ store }) => store.view(repository)));
    for (const view of views) expect(await git(["--git-dir", view, "rev-parse", "main"])).toBe(head);
  }
});

test("a process killed while it seals leaves nothing visible, and its folder goes with the next start", async () => {
  await using world = await createTestDatabase();
  await using source = await createSourceRepository();
  await using survivor = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  const cacheDir = await mkdtemp(join(tmpdir(), "coregit-killed-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(cacheDir, { recursive: true, force: true }));
  const tip = await source.commit(manyFiles(3_000));
  const packFile = join(source.path, "shallow.pack");
  await writeFile(packFile, await shallowPack(source, tip));
  {
    await using program = startChildProgram("seal-and-hang.ts", [world.url, cacheDir, repository.id, packFile, tip]);
    await program.firstLine;
    await program.end("SIGKILL");
  }
  expect((await readdir(join(cacheDir, "quarantine"))).length).toBe(1);
  expect((await world.database.query("SELECT 1 FROM packs")).rowCount).toBe(0);
  expect(await survivor.store.reader(repository).readRefs()).toEqual(new Map());
  await using next = await openTestStore(world.database, { cacheDir });
  const left = await readdir(join(cacheDir, "quarantine"));
  expect(left.filter((name) => !name.includes(`~${process.pid}~`))).toEqual([]);
  expect(await importHead(next.store, repository, source)).toMatch(/^[0-9a-f]{40}$/);
  expect(
    (await tryGit(["--git-dir", await survivor.store.view(repository), "rev-parse", "main^{tree}"])).stdout.toString().trim(),
  ).toBe(await source.tree());
});

test("a view from before the database was restored from a backup shows what the database has", async () => {
  await using world = await createTestDatabase();
  await using one = await openTestStore(world.database);
  const repository = await addRepository(world.database);
  const kept = await publishSmallCommit(one.store, repository, { text: "kept", expected: null });
  await world.database.query("CREATE TABLE backup AS SELECT refs.*, version FROM refs, repositories");
  const lost = await publishSmallCommit(one.store, repository, { text: "lost", expected: kept });
  expect(await git(["--git-dir", await one.store.view(repository), "rev-parse", "main"])).toBe(lost);
  await world.database.query("UPDATE refs SET oid = backup.oid FROM backup");
  await world.database.query("UPDATE repositories SET version = backup.version FROM backup");
  await using next = await openTestStore(world.database, { cacheDir: one.cacheDir });
  expect(await git(["--git-dir", await next.store.view(repository), "rev-parse", "main"])).toBe(kept);
});
