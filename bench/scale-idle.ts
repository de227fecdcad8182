// An operator with thousands of RepoSyncs that poll and find nothing new: what it writes, holds and computes. One of them is imported
// for real; the others are copies of its rows, as if each had been imported before the operator was started again.
import { fork } from "node:child_process";
import { once } from "node:events";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "../src/db/database.ts";
import type { KubeObject } from "../src/kube/object.ts";
import { createSourceRepository } from "../test/support/source-repository.ts";
import { type BenchRow, formatMs } from "./measure.ts";
import { type OperatorProcess, untilOperator } from "./operator-process.ts";
import { type OperatorStack, openOperatorStack } from "./operator-stack.ts";
import { OBJECTS } from "./scale-objects.ts";

const NAMESPACE = "idle";
const INTERVAL_MS = 300_000;
const WINDOW_MS = 60_000;
const RELIST_MS = 600_000;
const DEADLINE_MS = 300_000;
const RSS_LIMIT_MB = 350;
const CPU_LIMIT_PERCENT = 15;
const LAG_LIMIT_MS = 100;
const LAG = /^nodejs_eventloop_lag_max_seconds /;
const RUNS = /^coregit_sync_runs_total\{/;

export async function benchScaleIdle(): Promise<readonly BenchRow[]> {
  await using cleanup = new AsyncDisposableStack();
  const source = cleanup.use(await createSourceRepository());
  await source.commit({ "README.md": "Hello\n" });
  const remote = `${await serveGit(cleanup, dirname(source.path))}/${basename(source.path)}`;
  const stack = cleanup.use(await openOperatorStack());
  const spec = { remote, interval: `${INTERVAL_MS / 1000}s`, autoSync: false };
  await seed(stack, spec);
  const operator = await stack.startOperator("idle");
  await untilOperator(operator, () => hasLookedAtAll(operator), DEADLINE_MS);
  const roundMs = await operator.cpuMs();
  return rowsOf({ ...(await observe(stack, operator)), roundMs });
}

async function serveGit(cleanup: AsyncDisposableStack, root: string): Promise<string> {
  const server = fork(join(import.meta.dirname, "serve-git.ts"), [root]);
  cleanup.defer(() => server.disconnect());
  const [url] = await once(server, "message");
  return url;
}

/** All of them imported and shown, and nobody at work. */
async function seed(stack: OperatorStack, spec: object): Promise<void> {
  const { database } = stack;
  const [template] = await stack.createRepoSyncs(NAMESPACE, 1, spec);
  const first = await stack.startOperator("import");
  await untilOperator(first, async () => (await first.metric(/^coregit_sync_runs_total\{.*status="success"/)) === 1);
  await first[Symbol.asyncDispose]();
  const copies = await stack.createRepoSyncs(NAMESPACE, OBJECTS - 1, spec, 1);
  await copyRows(database, template as KubeObject, copies);
  await database.query("UPDATE syncs SET next_run_at = now() + random() * $1 * interval '1 millisecond'", [INTERVAL_MS]);
  await database.query("ANALYZE");
  const second = await stack.startOperator("show");
  await untilOperator(second, () => hasLookedAtAll(second), DEADLINE_MS);
  await second[Symbol.asyncDispose]();
}

/** Each copy is the row of the template but for what tells them apart. */
async function copyRows(database: Database, { metadata: template }: KubeObject, copies: readonly KubeObject[]): Promise<void> {
  const names = copies.map(({ metadata }) => metadata.name);
  const uids = copies.map(({ metadata }) => metadata.uid);
  const copy = async (table: string, isOfTemplate: string, changed: string): Promise<void> => {
    const text = `
      INSERT INTO ${table} SELECT copied.*
      FROM ${table} t JOIN syncs s ON ${isOfTemplate}, unnest($1::text[], $2::text[]) AS c (name, uid),
        jsonb_populate_record(NULL::${table}, to_jsonb(t) || jsonb_build_object(${changed})) AS copied
      WHERE s.name = $3`;
    await database.query(text, [names, uids, template.name]);
  };
  await copy("repositories", "t.id = s.repository_id", "'id', t.id || c.name, 'slug', c.name");
  await copy("refs", "t.repository_id = s.repository_id", "'repository_id', t.repository_id || c.name");
  const identity = "'id', t.id || c.name, 'name', c.name, 'owner_ref', c.uid, 'repository_id', t.repository_id || c.name";
  await copy("syncs", "t.id = s.id", identity);
  await copy("sync_points", "t.sync_id = s.id", "'sync_id', t.sync_id || c.name");
}

async function hasLookedAtAll(operator: OperatorProcess): Promise<boolean> {
  await delay(500);
  const { reconciled, open } = await operator.progress();
  return reconciled >= OBJECTS && open === 0;
}

type Observed = {
  readonly writes: readonly string[];
  readonly polls: number;
  readonly cpuPercent: number;
  readonly rssMb: number;
  readonly lagMs: number;
};

async function observe(stack: OperatorStack, operator: OperatorProcess): Promise<Observed> {
  // What waits to be written after the start, as Events, and what the start leaves to collect.
  await delay(10_000);
  const before = { writes: (await stack.writes()).length, cpuMs: await operator.cpuMs(), polls: await operator.metric(RUNS) };
  // The metric is the longest delay since it was read last.
  await operator.metric(LAG);
  const startedMs = performance.now();
  await delay(WINDOW_MS);
  const tookMs = performance.now() - startedMs;
  const cpuMs = (await operator.cpuMs()) - before.cpuMs;
  const lagMs = (await operator.metric(LAG)) * 1000;
  return {
    writes: (await stack.writes()).slice(before.writes),
    polls: (await operator.metric(RUNS)) - before.polls,
    cpuPercent: (cpuMs / tookMs) * 100,
    rssMb: await operator.rssMb(),
    lagMs,
  };
}

function rowsOf({ writes, polls, cpuPercent, rssMb, lagMs, roundMs }: Observed & { readonly roundMs: number }): BenchRow[] {
  const bench = "scale-idle";
  const seconds = WINDOW_MS / 1000;
  return [
    {
      bench,
      what: `${OBJECTS} RepoSyncs of a 5 minute interval: writes to the API server in ${seconds} s, beside the Lease`,
      result: writes.length === 0 ? "0" : `${writes.length}: ${[...new Set(writes)].join(", ")}`,
      limit: "0",
      isWithin: writes.length === 0,
      figures: { objects: OBJECTS, writes: writes.length, polls },
    },
    {
      bench,
      what: "memory of the operator",
      result: `${Math.round(rssMb)} MB`,
      limit: `≤ ${RSS_LIMIT_MB} MB`,
      isWithin: rssMb <= RSS_LIMIT_MB,
      figures: { rssMb },
    },
    {
      bench,
      what: `processor time, with all of ${polls} polls`,
      result: `${cpuPercent.toFixed(1)} % of a core`,
      limit: `≤ ${CPU_LIMIT_PERCENT} %`,
      isWithin: cpuPercent <= CPU_LIMIT_PERCENT,
      figures: { cpuPercent, cpuMsOfAPoll: (cpuPercent * WINDOW_MS) / 100 / polls },
    },
    {
      bench,
      what: "longest delay of the event loop",
      result: formatMs(lagMs),
      limit: `≤ ${LAG_LIMIT_MS} ms`,
      isWithin: lagMs <= LAG_LIMIT_MS,
      figures: { lagMs },
    },
    {
      bench,
      what: `processor time of a start that looks at all of them, as happens each ${RELIST_MS / 60_000} minutes`,
      result: formatMs(roundMs),
      limit: "",
      isWithin: null,
      figures: { roundMs, percentOfACore: (roundMs / RELIST_MS) * 100 },
    },
  ];
}
