// A storm of deliveries for many syncs: the program in a process of its own, with its workers, on a durable PostgreSQL; the client is
// this process. Both share the machine, so that a delivery waits for its turn beyond what the machine can answer at once.
import { once } from "node:events";
import { Agent, request } from "node:http";
import { fromGitHub, push } from "../test/support/signed-deliveries.ts";
import { createSourceRepository } from "../test/support/source-repository.ts";
import { type ApiProcess, startApiProcess } from "./api-process.ts";
import { percentile, until } from "./latencies.ts";
import { type BenchRow, formatMs } from "./measure.ts";
import { addSync, connectTo, serveApart } from "./served-remote.ts";

const DELIVERIES = 10_000;
const SYNCS = 50;
/** Connections, each with one delivery at a time. What is held against the limit is the first. */
const AT_ONCE = [20, 40, 100] as const;
const P99_MS = 50;
const MAX_RUNS_AFTER = 2;

type Listener = { readonly url: string; readonly signingSecret: string };
type Storm = { readonly times: readonly number[]; readonly seconds: number; readonly isAnswered: boolean };

export async function benchWebhookStorm(): Promise<readonly BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await startApiProcess({ role: "standalone", settings: { COREGIT_ALLOWED_HOSTS: "127.0.0.1" } }));
  const source = stack.use(await createSourceRepository());
  await source.commit({ "a.txt": "0\n" });
  const served = await serveApart(stack, source);
  const connectionId = await connectTo(api, served);
  const listeners: Listener[] = [];
  for (let index = 0; index < SYNCS; index += 1) {
    const slug = `storm-${index}`;
    await addSync(api, served, { slug, connectionId, direction: "import" });
    const { body } = await api.get(`/v1/repos/${slug}/sync/webhook`);
    listeners.push({ url: String(body.url), signingSecret: String(body.secret) });
  }
  await quiet(api);
  // What a process is slow at once.
  await storm(listeners, { deliveries: 1_000, atOnce: AT_ONCE[0] });
  const rows: BenchRow[] = [];
  for (const atOnce of AT_ONCE) {
    const result = await storm(listeners, { deliveries: DELIVERIES, atOnce });
    const before = await claims(api);
    await quiet(api);
    const runs = Math.max(...[...(await claims(api))].map(([id, epoch]) => epoch - (before.get(id) ?? 0)));
    rows.push(rowOf(result, atOnce, runs));
  }
  return rows;
}

async function storm(
  listeners: readonly Listener[],
  { deliveries, atOnce }: { deliveries: number; atOnce: number },
): Promise<Storm> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const times: number[] = [];
  const statuses = new Set<number>();
  let next = 0;
  const deliverSome = async (): Promise<void> => {
    for (let index = next++; index < deliveries; index = next++) {
      const listener = listeners[index % listeners.length];
      if (listener === undefined) return;
      const startedMs = performance.now();
      statuses.add(await deliver(agent, listener));
      times.push(performance.now() - startedMs);
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: atOnce }, deliverSome));
  agent.destroy();
  const isAnswered = statuses.size === 1 && statuses.has(202) && times.length === deliveries;
  return { times, seconds: (performance.now() - startedMs) / 1000, isAnswered };
}

async function deliver(agent: Agent, { url, signingSecret }: Listener): Promise<number> {
  const { headers, body } = fromGitHub({ signingSecret, token: "", signingToken: "" }, push());
  const sent = request(url, { method: "POST", agent, headers: { ...headers, "content-length": body.length } });
  sent.end(body);
  const [response] = await once(sent, "response");
  response.resume();
  await once(response, "end");
  return response.statusCode;
}

function rowOf({ times, seconds, isAnswered }: Storm, atOnce: number, runs: number): BenchRow {
  const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)];
  const perSecond = Math.round(times.length / seconds);
  const isJudged = atOnce === AT_ONCE[0];
  const isSound = isAnswered && runs <= MAX_RUNS_AFTER;
  return {
    bench: "webhook-storm",
    what: `${times.length} deliveries for ${SYNCS} syncs, ${atOnce} at once`,
    result: `${isAnswered ? "all" : "not all"} answered, p99 ${formatMs(p99)}, ${perSecond}/s, then ${runs} runs at most`,
    limit: `${isJudged ? `p99 ≤ ${P99_MS} ms, ` : ""}≤ ${MAX_RUNS_AFTER} runs`,
    isWithin: isSound && (!isJudged || p99 <= P99_MS),
    figures: { p50, p99, perSecond, runsAfterTheLast: runs },
  };
}

/** Resolves when nothing is due, or about to be, and nothing runs. */
async function quiet({ database }: ApiProcess): Promise<void> {
  const sql = `SELECT 1 FROM syncs
    WHERE lease_owner IS NOT NULL OR LEAST(next_run_at, trigger_at) <= GREATEST(now(), quiet_until) LIMIT 1`;
  await until(async () => (await database.query(sql)).rowCount === 0);
}

/** How often each sync was claimed. */
async function claims({ database }: ApiProcess): Promise<ReadonlyMap<string, number>> {
  const { rows } = await database.query<{ id: string; lease_epoch: number }>("SELECT id, lease_epoch FROM syncs");
  return new Map(rows.map((row) => [row.id, row.lease_epoch]));
}
