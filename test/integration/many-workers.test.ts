// Several worker processes on one database: no sync is ever run twice at once, and what is due runs once.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Database } from "../../src/db/database.ts";
import type { RepositoryStore } from "../../src/repositories/store.ts";
import { openDeclarations } from "../../src/sync/open-declarations.ts";
import { startChildProgram } from "../support/child-program.ts";
import { createTestDatabase } from "../support/database.ts";
import { QUIET_SPEC } from "../support/quiet-spec.ts";
import { createSourceRepository } from "../support/source-repository.ts";
import type { SyncWorkerSettings } from "../support/sync-worker.ts";
import { serveSource } from "../support/test-remotes.ts";
import { until } from "../support/until.ts";

const PROCESSES = 3;
const SYNCS = 12;
const ROUNDS = 4;

/** Runs of one sync of which one began before another had ended. */
const OVERLAPS = `
  SELECT a.id, b.id FROM runs a JOIN runs b ON a.sync_id = b.sync_id AND a.id <> b.id
  WHERE a.started_at <= b.started_at AND b.started_at < a.completed_at`;

it("many processes never run one sync at the same time, and each due sync once", async () => {
  await using stack = new AsyncDisposableStack();
  const { url, database } = stack.use(await createTestDatabase());
  const folder = await mkdtemp(join(tmpdir(), "coregit-many-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const source = stack.use(await createSourceRepository());
  const server = stack.use(await serveSource(source));
  const workers = Array.from({ length: PROCESSES }, (_, index) => {
    const settings: SyncWorkerSettings = {
      url,
      cacheDir: join(folder, `cache-${index}`),
      packsDir: join(folder, "packs"),
      instanceId: `worker-${index}`,
      isOnlyWorker: false,
    };
    return stack.use(startChildProgram("sync-worker.ts", [JSON.stringify(settings)]));
  });
  await Promise.all(workers.map(({ firstLine }) => firstLine));

  await source.commit({ round: "0" });
  await declareAll(database, server.remoteUrl);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const head = await source.head();
    await until(`every sync is at round ${round}`, () => isEverySyncAt(database, head), 40_000);
    await source.commit({ round: String(round) });
    await makeAllDue(database);
  }
  const head = await source.head();
  await until("every sync is at the last round", () => isEverySyncAt(database, head), 40_000);
  await Promise.all(workers.map((worker) => worker.end("SIGTERM")));

  expect((await database.query(OVERLAPS)).rows, "runs of one sync at the same time").toEqual([]);
  const { rows } = await database.query(
    `SELECT count(*) AS runs, count(DISTINCT remote_sha) AS states, count(*) FILTER (WHERE status <> 'success') AS others
     FROM runs GROUP BY sync_id`,
  );
  expect(rows).toEqual(Array.from({ length: SYNCS }, () => ({ runs: ROUNDS + 1, states: ROUNDS + 1, others: 0 })));
  const views = await Promise.all(workers.map((_, index) => readdir(join(folder, `cache-${index}`, "views"))));
  expect(views.filter((view) => view.length > 0).length, "processes that worked").toBeGreaterThan(1);
});

async function declareAll(database: Database, remote: string): Promise<void> {
  const declarations = openDeclarations({ database, store: {} as RepositoryStore, keys: [] });
  for (let index = 0; index < SYNCS; index += 1) {
    await declarations.declareSync({
      owner: { kind: "file", ref: `sync-${index}` },
      namespace: "default",
      name: `sync-${index}`,
      repository: `copy-${index}`,
      connection: null,
      spec: { ...QUIET_SPEC, remote },
    });
  }
}

/** Several times, as webhooks, polls and triggers coincide. */
async function makeAllDue(database: Database): Promise<void> {
  for (let time = 0; time < 3; time += 1) {
    await database.query("UPDATE syncs SET next_run_at = LEAST(next_run_at, now())");
    await database.query("SELECT pg_notify('coregit_sync_due', id) FROM syncs");
  }
}

async function isEverySyncAt(database: Database, sha: string): Promise<boolean> {
  const { rowCount } = await database.query("SELECT 1 FROM syncs WHERE last_synced_sha = $1 AND lease_owner IS NULL", [sha]);
  return rowCount === SYNCS;
}
