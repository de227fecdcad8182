// A worker that is stopped by the system (SIGSTOP: a frozen container, a machine that swaps) for longer than its lease,
// while the clock goes on. Another takes the sync over; the first wakes up in the middle of its run and writes nothing.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Database } from "../../src/db/database.ts";
import { openDeclarations } from "../../src/sync/open-declarations.ts";
import { startChildProgram } from "../support/child-program.ts";
import { createTestDatabase } from "../support/database.ts";
import { openTestStore } from "../support/git-store.ts";
import { QUIET_SPEC } from "../support/quiet-spec.ts";
import { createSourceRepository } from "../support/source-repository.ts";
import type { SyncWorkerSettings } from "../support/sync-worker.ts";
import { serveSource } from "../support/test-remotes.ts";
import { until } from "../support/until.ts";

const LEASE_MS = 1_500;

it("a worker that slept through its lease writes nothing, and another has finished its work", async () => {
  await using stack = new AsyncDisposableStack();
  const { url, database } = stack.use(await createTestDatabase());
  const folder = await mkdtemp(join(tmpdir(), "coregit-paused-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const source = stack.use(await createSourceRepository());
  const server = stack.use(await serveSource(source));
  await source.commit({ a: "1", b: "x".repeat(50_000) });
  const start = async (instanceId: string) => {
    const dirs = { cacheDir: join(folder, instanceId), packsDir: join(folder, "packs") };
    const settings: SyncWorkerSettings = { url, ...dirs, instanceId, isOnlyWorker: false, leaseMs: LEASE_MS };
    const worker = stack.use(startChildProgram("sync-worker.ts", [JSON.stringify(settings)]));
    await worker.firstLine;
    return worker;
  };

  const sleeper = await start("sleeper");
  const fetching = Promise.withResolvers<void>();
  server.fault = ({ method }) => {
    if (method !== "POST" || server.requests.length < 3) return null;
    fetching.resolve();
    return { kind: "stall", afterBytes: 100 };
  };
  const { store } = stack.use(await openTestStore(database));
  const sync = await openDeclarations({ database, store, keys: [] }).declareSync({
    owner: { kind: "file", ref: "paused" },
    namespace: "default",
    name: "paused",
    repository: "paused",
    connection: null,
    spec: { ...QUIET_SPEC, remote: server.remoteUrl, timeoutMs: 600_000 },
  });
  await fetching.promise;
  process.kill(sleeper.pid, "SIGSTOP");
  server.fault = null;
  expect(await readRuns(database), "the run that sleeps").toMatchObject([{ status: "running" }]);

  const other = await start("other");
  await until("the other has taken over and finished", async () => (await readRuns(database)).at(-1)?.status === "success");
  expect((await readRuns(database)).map(({ status, code }) => [status, code])).toEqual([
    ["error", "Interrupted"],
    ["success", null],
  ]);
  await other.end("SIGTERM");
  const before = await everything(database);

  process.kill(sleeper.pid, "SIGCONT");
  await until("the sleeper has let go of its work", async () => (await unfinished(join(folder, "sleeper"))) === 0);
  await sleeper.end("SIGTERM");
  expect(await sleeper.exitCode).toBe(0);
  expect(await everything(database), "rows after it woke up").toEqual(before);
  expect(before.syncs).toMatchObject([{ id: sync.id, last_synced_sha: await source.head(), lease_owner: null }]);
  expect(before.reflog).toHaveLength(1);
});

type RunRow = { readonly status: string; readonly code: string | null };

async function readRuns(database: Database): Promise<RunRow[]> {
  return (await database.query<RunRow>("SELECT status, code FROM runs ORDER BY started_at, id")).rows;
}

/** Pieces of unfinished work in a cache. */
async function unfinished(cacheDir: string): Promise<number> {
  const processes = await readdir(join(cacheDir, "quarantine"));
  const pieces = await Promise.all(processes.map((name) => readdir(join(cacheDir, "quarantine", name))));
  return pieces.flat().length;
}

async function everything(
  database: Database,
): Promise<Record<"syncs" | "runs" | "refs" | "reflog" | "packs" | "sync_points", unknown[]>> {
  const rows = async (table: string) => (await database.query(`SELECT * FROM ${table} AS row ORDER BY row::text`)).rows;
  return {
    syncs: await rows("syncs"),
    runs: await rows("runs"),
    refs: await rows("refs"),
    reflog: await rows("reflog"),
    packs: await rows("packs"),
    sync_points: await rows("sync_points"),
  };
}
