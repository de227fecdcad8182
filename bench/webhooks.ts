// From a provider's delivery to the commit here, from a commit here to the remote's head, and a storm of deliveries: real HTTP,
// real git servers on loopback, a durable PostgreSQL, everything in one process on its two cores.
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fastify } from "fastify";
import { CHANNELS } from "../src/db/database.ts";
import { systemClock } from "../src/domain/clock.ts";
import type { SyncSpec } from "../src/domain/sync-spec.ts";
import type { WebhookSecrets } from "../src/domain/webhook-secrets.ts";
import { HTTP_LIMITS } from "../src/http/limits.ts";
import { receiveWebhook } from "../src/http/routes/receive-webhook.ts";
import { registerSignedRoutes } from "../src/http/signed-routes.ts";
import { openWebhookIntake } from "../src/sync/webhook-intake.ts";
import { commitHere } from "../test/support/local-commit.ts";
import { QUIET_SPEC, TEST_KEYS } from "../test/support/quiet-spec.ts";
import { fromGitHub, giveWebhook, push, type Sent } from "../test/support/signed-deliveries.ts";
import { createSourceRepository, type SourceRepository } from "../test/support/source-repository.ts";
import { serveSource } from "../test/support/test-remotes.ts";
import { type EngineStack, openEngineStack } from "./engine-stack.ts";
import { type BenchRow, formatMs } from "./measure.ts";

const DELIVERIES = 200;
const STORM = 10_000;
const STORM_SYNCS = 50;
/** At once, from as many connections. */
const BURST = 20;
const POLL_MS = 2;
const PATIENCE_MS = 30_000;
const LIMITS = { p50: 200, p99: 600 };
const STORM_P99_MS = 50;
const MAX_RUNS_AFTER = 2;

type Door = AsyncDisposable & { deliver(syncId: string, sent: Sent): Promise<number> };

/** The route that takes deliveries, listening, and a client that keeps its connections. */
async function openDoor({ database }: EngineStack): Promise<Door> {
  const intake = openWebhookIntake({ database, keys: TEST_KEYS, clock: systemClock });
  const app = fastify();
  const signal = new AbortController().signal;
  void app.register(
    async (api) => registerSignedRoutes(api, [receiveWebhook(intake)], { signalOf: () => signal, limits: HTTP_LIMITS }),
    { prefix: "/v1" },
  );
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const agent = new Agent({ keepAlive: true, maxSockets: BURST });
  return {
    async deliver(syncId, { headers, body }) {
      const sent = request(`${url}/v1/sync-webhooks/git/${syncId}`, { method: "POST", agent, headers });
      sent.end(body);
      const [response] = await once(sent, "response");
      response.resume();
      await once(response, "end");
      return response.statusCode;
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await app.close();
    },
  };
}

async function declare({ declarations }: EngineStack, name: string, spec: Partial<SyncSpec>) {
  const owner = { kind: "file", ref: name } as const;
  const declared = { owner, namespace: "default", name, repository: name, connection: null };
  return declarations.declareSync({ ...declared, spec: { ...QUIET_SPEC, branch: "main", ...spec } });
}

async function until(isReached: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!(await isReached())) {
    if (performance.now() > endMs) throw new Error("What the bench waits for did not happen.");
    await delay(POLL_MS);
  }
}

export async function benchWebhookToCommit(): Promise<readonly BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const engine = stack.use(await openEngineStack());
  const door = stack.use(await openDoor(engine));
  const source = stack.use(await createSourceRepository());
  await source.commit({ "a.txt": "0\n", "b/c.txt": "c\n" });
  const server = stack.use(await serveSource(source));
  const sync = await declare(engine, "copy", { remote: server.remoteUrl });
  const repository = { ...sync.repository, id: sync.repository.id };
  await until(async () => (await engine.declarations.readSync(sync.id))?.lastSyncedSha !== null);
  const secrets: WebhookSecrets = await giveWebhook(engine.database, sync.id, "git");
  let moved = Promise.withResolvers<void>();
  const onMessage = (id: string) => (id === repository.id ? moved.resolve() : undefined);
  stack.use(await engine.database.listen(CHANNELS.refMoved, { onMessage, onGap: () => undefined }));
  const times: number[] = [];
  for (let index = 1; index <= DELIVERIES; index += 1) {
    const after = await source.commit({ "a.txt": `${index}\n` });
    moved = Promise.withResolvers();
    const startedMs = performance.now();
    if ((await door.deliver(sync.id, fromGitHub(secrets, push({ after })))) !== 202)
      throw new Error("A delivery was not accepted.");
    await moved.promise;
    times.push(performance.now() - startedMs);
    await until(async () => (await engine.declarations.readSync(sync.id))?.lastSyncedSha === after);
  }
  return latencies("webhook-to-commit", `${DELIVERIES} deliveries, 1 file changed`, times);
}

export async function benchPushToExport(): Promise<readonly BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const engine = stack.use(await openEngineStack());
  const remote = stack.use(await createSourceRepository());
  const server = stack.use(await serveSource(remote));
  const made = { namespace: "default", slug: "out", description: "", visibility: "private", defaultBranch: "main" } as const;
  const repository = await engine.store.create({ ...made, protectedBranches: [] }, null);
  await commitHere(engine.store, repository, { "a.txt": "0\n" });
  const sync = await declare(engine, "out", { remote: server.remoteUrl, direction: "export" });
  await until(async () => (await engine.declarations.readSync(sync.id))?.lastSyncedSha !== null);
  const ref = join(remote.path, "refs/heads/main");
  const head = () => readFile(ref, "utf8").catch(() => "");
  const times: number[] = [];
  for (let index = 1; index <= DELIVERIES; index += 1) {
    const before = await head();
    const startedMs = performance.now();
    const oid = await commitHere(engine.store, repository, { "a.txt": `${index}\n` });
    await until(async () => (await head()) !== before);
    times.push(performance.now() - startedMs);
    await until(async () => (await engine.declarations.readSync(sync.id))?.lastSyncedSha === oid);
  }
  return latencies("push-to-export", `${DELIVERIES} changes of 1 file`, times);
}

export async function benchWebhookStorm(): Promise<readonly BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const engine = stack.use(await openEngineStack());
  const door = stack.use(await openDoor(engine));
  const source = stack.use(await createSourceRepository());
  await source.commit({ "a.txt": "0\n" });
  const remote = await serveApart(stack, source);
  const listening: { readonly id: string; readonly secrets: WebhookSecrets }[] = [];
  for (let index = 0; index < STORM_SYNCS; index += 1) {
    const { id } = await declare(engine, `storm-${index}`, { remote });
    listening.push({ id, secrets: await giveWebhook(engine.database, id, "git") });
  }
  await quiet(engine);
  const times: number[] = [];
  const statuses = new Set<number>();
  let next = 0;
  const deliverAll = async (): Promise<void> => {
    for (let index = next++; index < STORM; index = next++) {
      const { id, secrets } = listening[index % STORM_SYNCS] ?? { id: "", secrets: null };
      if (secrets === null) return;
      const startedMs = performance.now();
      statuses.add(await door.deliver(id, fromGitHub(secrets, push())));
      times.push(performance.now() - startedMs);
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: BURST }, deliverAll));
  const perSecond = Math.round(STORM / ((performance.now() - startedMs) / 1000));
  const before = await claims(engine);
  await quiet(engine);
  const runs = Math.max(...[...(await claims(engine))].map(([id, epoch]) => epoch - (before.get(id) ?? 0)));
  const p99 = percentile(times, 0.99);
  const isAnswered = statuses.size === 1 && statuses.has(202) && times.length === STORM;
  const figures = { p50: percentile(times, 0.5), p99, perSecond, runsAfterTheLast: runs };
  const what = `${STORM} deliveries for ${STORM_SYNCS} syncs, ${BURST} at once`;
  return [
    row("webhook-storm", `${what}, p99`, {
      result: formatMs(p99),
      limit: `≤ ${STORM_P99_MS} ms`,
      isWithin: isAnswered && p99 <= STORM_P99_MS,
      figures,
    }),
    row("webhook-storm", "runs of one sync after the last", {
      result: `${runs}`,
      limit: `≤ ${MAX_RUNS_AFTER}`,
      isWithin: runs <= MAX_RUNS_AFTER,
      figures,
    }),
  ];
}

/** The repository's address on a git server in a process of its own, as a provider is another machine. */
async function serveApart(stack: AsyncDisposableStack, { path }: SourceRepository): Promise<string> {
  const server = fork(join(import.meta.dirname, "serve-git.ts"), [dirname(path)]);
  stack.defer(() => void server.kill());
  return `${(await once(server, "message"))[0]}/${basename(path)}`;
}

/** Resolves when nothing is due and nothing runs. */
async function quiet({ database }: EngineStack): Promise<void> {
  const sql = "SELECT 1 FROM syncs WHERE lease_owner IS NOT NULL OR LEAST(next_run_at, trigger_at) <= now() LIMIT 1";
  await until(async () => (await database.query(sql)).rowCount === 0);
}

/** How often each sync was claimed. */
async function claims({ database }: EngineStack): Promise<ReadonlyMap<string, number>> {
  const { rows } = await database.query<{ id: string; lease_epoch: number }>("SELECT id, lease_epoch FROM syncs");
  return new Map(rows.map((row) => [row.id, row.lease_epoch]));
}

function latencies(bench: string, what: string, times: readonly number[]): readonly BenchRow[] {
  const figures = { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
  return (["p50", "p99"] as const).map((name) =>
    row(bench, `${what}, ${name}`, {
      result: formatMs(figures[name]),
      limit: `≤ ${LIMITS[name]} ms`,
      isWithin: figures[name] <= LIMITS[name],
      figures,
    }),
  );
}

function row(bench: string, what: string, rest: Omit<BenchRow, "bench" | "what">): BenchRow {
  return { bench, what, ...rest };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
