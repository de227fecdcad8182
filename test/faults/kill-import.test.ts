// kill -9 of an importing process at random instants. What it had acknowledged (last_synced_sha) is written down outside of
// it; afterwards a checker compares that, the history here and the source. COREGIT_FAULT_RUNS sets how often (25).
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { openBlobStore } from "../../src/blobs/open-blob-store.ts";
import type { Database } from "../../src/db/database.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { readTrailers } from "../../src/domain/message-template.ts";
import { openRepositoryStore } from "../../src/repositories/open-repository-store.ts";
import type { RepositoryStore } from "../../src/repositories/store.ts";
import { storeLimits } from "../../src/repositories/store-options.ts";
import { openDeclarations } from "../../src/sync/open-declarations.ts";
import { type ChildProgram, startChildProgram } from "../support/child-program.ts";
import { createTestDatabase } from "../support/database.ts";
import { expectCleanRepository } from "../support/fsck.ts";
import { git } from "../support/git.ts";
import { QUIET_SPEC } from "../support/quiet-spec.ts";
import { commandsNaming } from "../support/running-commands.ts";
import { announceSeed, seededRandom } from "../support/seeded-random.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import type { SyncWorkerSettings } from "../support/sync-worker.ts";
import { serveSource } from "../support/test-remotes.ts";
import { until } from "../support/until.ts";

const RUNS = Number(process.env.COREGIT_FAULT_RUNS ?? 25);
/** A start, a change and a kill take 2 s, on a busy machine 5 s. */
const TIMEOUT_MS = RUNS * 10_000 + 60_000;
/** An import of the changes made here takes about half of it. */
const LONGEST_LIFE_MS = 300;

it(`${RUNS} kills of an importing process lose nothing and double nothing`, { timeout: TIMEOUT_MS }, async () => {
  const random = seededRandom(announceSeed());
  await using stack = new AsyncDisposableStack();
  const { url, database } = stack.use(await createTestDatabase());
  const folder = await mkdtemp(join(tmpdir(), "coregit-kill-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const cacheDir = join(folder, "cache");
  const packsDir = join(folder, "packs");
  const source = stack.use(await createSourceRepository());
  const server = stack.use(await serveSource(source));
  const blobs = stack.use(await openBlobStore({ kind: "file", directory: packsDir }, database));
  const shared = { database, clock: systemClock, logger: silentLogger };
  const checkerCache = { cacheDir: join(folder, "checker"), cacheMaxBytes: 1 << 30, limits: storeLimits(1 << 30) };
  const store = stack.use(await openRepositoryStore({ ...shared, blobs, ...checkerCache }));
  await change(source, random, 0);
  const sync = await openDeclarations({ database, store, keys: [] }).declareSync({
    owner: { kind: "file", ref: "kill" },
    namespace: "default",
    name: "kill",
    repository: "kill",
    connection: null,
    spec: { ...QUIET_SPEC, remote: server.remoteUrl, intervalMs: 20 },
  });

  const start = (run: number) => {
    const settings: SyncWorkerSettings = { url, cacheDir, packsDir, instanceId: `run-${run}`, isOnlyWorker: true };
    return startChildProgram("sync-worker.ts", [JSON.stringify(settings)]);
  };
  const acknowledged = new Set<string>();
  for (let run = 1; run <= RUNS; run += 1) {
    await using child = start(run);
    await child.firstLine;
    await change(source, random, run);
    await pause(random() * LONGEST_LIFE_MS);
    await child.end("SIGKILL");
    const sha = await lastSynced(database, sync.id);
    if (sha !== null) acknowledged.add(sha);
  }
  await recover(start(RUNS + 1), database, { syncId: sync.id, head: await source.head() });

  const interrupted = await database.query("SELECT 1 FROM runs WHERE code = 'Interrupted'");
  process.stdout.write(`${RUNS} kills, ${interrupted.rowCount} of them in a run\n`);
  await expectHistory(store, source, acknowledged);
  await expectNothingLeft(database, cacheDir);
});

/** One to three commits; some are too large to travel in the transaction. */
async function change(source: SourceRepository, random: () => number, run: number): Promise<void> {
  const count = 1 + Math.floor(random() * 3);
  for (let index = 0; index < count; index += 1) {
    const size = random() < 0.3 ? 100_000 : 100;
    const noise = Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)));
    await source.commit({ [`folder-${run % 7}/file-${index}`]: noise, run: `${run}.${index}\n` });
  }
}

async function lastSynced(database: Database, syncId: string): Promise<string | null> {
  const { rows } = await database.query<{ sha: string | null }>("SELECT last_synced_sha AS sha FROM syncs WHERE id = $1", [
    syncId,
  ]);
  return rows[0]?.sha ?? null;
}

async function recover(
  child: ChildProgram,
  database: Database,
  expected: { readonly syncId: string; readonly head: string },
): Promise<void> {
  await using recovering = child;
  await recovering.firstLine;
  await until(
    "the last state of the source is imported",
    async () => (await lastSynced(database, expected.syncId)) === expected.head,
  );
  await recovering.end("SIGTERM");
  expect(await recovering.exitCode).toBe(0);
}

async function expectHistory(store: RepositoryStore, source: SourceRepository, acknowledged: ReadonlySet<string>): Promise<void> {
  const repository = await store.find("default", "kill");
  if (repository === null) throw new Error("The repository is gone.");
  const view = await store.view(repository);
  await expectCleanRepository(view);
  const log = await git(["--git-dir", view, "log", "--reverse", "--format=%H%x00%T%x00%P%x00%B%x01", "main"]);
  const commits = log
    .split("\x01")
    .map((text) => text.trim())
    .filter(Boolean)
    .map((text) => text.split("\0"));
  const origins: string[] = [];
  let parent = "";
  for (const [oid = "", tree, parents, message = ""] of commits) {
    const origin = readTrailers(message)?.originCommit ?? "";
    expect(parents, `parent of ${oid}`).toBe(parent);
    expect(tree, `tree of ${oid}`).toBe(await source.tree(origin));
    origins.push(origin);
    parent = oid;
  }
  expect(new Set(origins).size, "imported once each").toBe(origins.length);
  expect(origins.at(-1)).toBe(await source.head());
  expect(origins).toEqual(expect.arrayContaining([...acknowledged]));
  // Each import is of a later state of the source than the one before it.
  const order = (await source.git("rev-list", "--reverse", "main")).split("\n");
  const positions = origins.map((origin) => order.indexOf(origin));
  expect(positions).toEqual([...positions].sort((left, right) => left - right));
}

async function expectNothingLeft(database: Database, cacheDir: string): Promise<void> {
  expect((await database.query("SELECT id FROM runs WHERE status = 'running'")).rows, "open runs").toEqual([]);
  expect((await database.query("SELECT id FROM syncs WHERE lease_owner IS NOT NULL")).rows, "leases").toEqual([]);
  expect(await readdir(join(cacheDir, "quarantine")), "unfinished work").toEqual([]);
  await until("every git of the killed processes has ended", async () => (await commandsNaming(cacheDir)).length === 0, 5000);
}
