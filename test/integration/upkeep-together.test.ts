// All upkeep at once, hurried so that nothing is too young for it, while packs are published and joined: whatever was
// acknowledged is there afterwards.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openBlobStore } from "../../src/blobs/open-blob-store.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { CoregitError } from "../../src/domain/errors.ts";
import type { Oid } from "../../src/domain/oid.ts";
import type { Repository } from "../../src/repositories/store.ts";
import { collectOrphans } from "../../src/repositories/upkeep/collect-orphans.ts";
import { collectRetired } from "../../src/repositories/upkeep/collect-retired.ts";
import { inspectRepository } from "../../src/repositories/upkeep/inspect-repository.ts";
import { scrub } from "../../src/repositories/upkeep/scrub.ts";
import { createTestDatabase } from "../support/database.ts";
import { addRepository, chunked, commitOf, openTestStore, shallowPack, type TestStore } from "../support/git-store.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import { agedBlobs } from "../support/stored-packs.ts";

const YEAR_MS = 365 * 24 * 3_600_000;
const NEVER = new AbortController().signal;
const WRITERS = 3;
const ROUNDS = 6;

type Target = { readonly repository: Repository; readonly branch: string; readonly expected: Oid | null };

/** Publishes the head of a source by way of the blob store. Null: the collection of orphans was faster. */
async function tryImport({ store }: TestStore, source: SourceRepository, target: Target): Promise<Oid | null> {
  const head = await source.head();
  await using quarantine = await store.quarantine(target.repository);
  await quarantine.receivePack(chunked(await shallowPack(source, head)), { shallowTips: [head] }, NEVER);
  const commit = commitOf(await source.tree(), target.expected === null ? [] : [target.expected], `${target.branch}\n`);
  quarantine.addObjects([commit]);
  const packs = await quarantine.seal({ source: "import", dropCommits: true }, NEVER);
  const refs = [{ name: `refs/heads/${target.branch}`, expected: target.expected, next: commit.oid }];
  try {
    await store.publish({ repositoryId: target.repository.id, packs, refs, actor: "sync:1", reason: "import" });
    return commit.oid;
  } catch (error) {
    if (error instanceof CoregitError && error.code === "Timeout") return null;
    throw error;
  }
}

/** The collection of orphans was faster: nothing was joined, the next round tries again. */
function passOverCollected(error: unknown): void {
  if (!(error instanceof CoregitError && error.code === "Timeout")) throw error;
}

async function write(world: TestStore, repository: Repository, branch: string): Promise<Oid | null> {
  await using source = await createSourceRepository();
  let expected: Oid | null = null;
  for (let round = 0; round < ROUNDS; round += 1) {
    await source.commit({ [`${branch}.txt`]: `${round}\n`.repeat(50), [`${round}.txt`]: branch });
    for (let next: Oid | null = null; next === null; ) {
      next = await tryImport(world, source, { repository, branch, expected });
      if (next !== null) expected = next;
    }
  }
  return expected;
}

test("nothing that was acknowledged is lost while everything is collected as soon as it can be", async () => {
  await using stack = new AsyncDisposableStack();
  const { database } = stack.use(await createTestDatabase());
  const folder = await mkdtemp(join(tmpdir(), "coregit-test-blobs-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const blobs = agedBlobs(await openBlobStore({ kind: "file", directory: join(folder, "packs") }, database), YEAR_MS);
  const world = stack.use(await openTestStore(database, { blobs, limits: { inlinePackBytes: 0 } }));
  const repository = await addRepository(database);
  const metrics = { packChecked: () => undefined, damagedPacks: () => undefined };
  const shared = { database, blobs, logger: silentLogger, clock: systemClock, cacheDir: world.cacheDir, metrics };
  const tasks = [
    collectOrphans({ ...shared, retentionMs: 1 }),
    collectRetired({ ...shared, blobRetentionMs: 1 }),
    scrub({ ...shared, bytesPerSecond: Number.POSITIVE_INFINITY }),
  ];
  let isWriting = true;
  let done = 0;
  const keepAtIt = async (work: () => Promise<unknown>) => {
    while (isWriting) await work();
  };
  // Many packs are locked in the order of their ids, as a compaction does it.
  const upkeep = [
    ...tasks.map((task) => async () => {
      done += (await task.run(NEVER)).done;
    }),
    () => world.store.compact(repository.id, NEVER).catch(passOverCollected),
    async () => {
      await database.query(
        // Who still reads a pack that was just retired has what it has in life, only shorter: time to come to its end.
        `UPDATE packs SET retired_at = retired_at - interval '2 days' WHERE id IN (
          SELECT id FROM packs WHERE retired_at BETWEEN now() - interval '1 day' AND now() - interval '5 seconds' ORDER BY id FOR UPDATE)`,
      );
      await database.query("UPDATE packs SET next_check_at = now() WHERE id IN (SELECT id FROM packs ORDER BY id FOR UPDATE)");
      await database.query("UPDATE blob_walks SET ended_at = '-infinity'");
    },
  ].map(keepAtIt);
  const branches = Array.from({ length: WRITERS }, (_, index) => `b${index}`);
  const writing = Promise.all(branches.map((branch) => write(world, repository, branch))).finally(() => {
    isWriting = false;
  });
  const [heads] = await Promise.all([writing, ...upkeep]);

  expect(done).toBeGreaterThan(0);
  expect(Object.fromEntries(await world.store.reader(repository).readRefs())).toEqual(
    Object.fromEntries(branches.map((branch, index) => [`refs/heads/${branch}`, heads[index]])),
  );
  const place = { database, blobs, folder: join(folder, "fresh") };
  const found = await inspectRepository({ ...repository, default_branch: repository.defaultBranch }, place, NEVER);
  expect(found.refs).toBe(WRITERS);
});
