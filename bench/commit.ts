// Commits through the API: many repositories, one branch, many files, a deep tree; beside the first the limit that the
// database sets: the bare transaction from this process.
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "../src/db/database.ts";
import { type ApiProcess, startApiProcess } from "./api-process.ts";
import { type BenchRow, formatMs, median, timed } from "./measure.ts";

const CLIENTS = 16;
const REPOSITORIES = 8;
const REQUIRED_PER_SECOND = 500;
const RUN_MS = 8_000;
const ALONE_COMMITS = 300;
const AUTHOR = { name: "Agent", email: "agent@example.com" };

type Change = { readonly path: string; readonly content: string };

async function commit(api: ApiProcess, slug: string, changes: readonly Change[]): Promise<void> {
  const body = { branch: "main", message: "Change", author: AUTHOR, changes };
  const answer = await api.post(`/v1/repos/${slug}/commits`, body);
  if (answer.status !== 201) throw new Error(`a commit was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}

type Load = { readonly perSecond: number; readonly p50: number; readonly p99: number; readonly count: number };

/** Clients that each wait for their answer before they ask again; the first second is not counted. */
async function load(clients: number, once: (client: number, round: number) => Promise<unknown>): Promise<Load> {
  const startedMs = performance.now() + 1_000;
  const untilMs = startedMs + RUN_MS;
  const ms: number[] = [];
  const client = async (index: number) => {
    for (let round = 0; performance.now() < untilMs; round += 1) {
      const took = await timed(() => once(index, round));
      if (performance.now() >= startedMs) ms.push(took);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => client(index)));
  return loadOf(ms, RUN_MS);
}

function loadOf(ms: readonly number[], durationMs: number): Load {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { perSecond: (sorted.length * 1_000) / durationMs, p50: at(0.5), p99: at(0.99), count: sorted.length };
}

/** `answers`: from when a request was sent. `turns`, which are judged: from when it was its turn, so that what a late answer holds up counts. */
type SteadyLoad = { readonly answers: Load; readonly turns: Load };

/**
 * Clients that together ask `perSecond` times a second: each waits for its turn by the clock, and for its answer before it asks
 * again. The first second is not counted.
 */
async function steadyLoad(perSecond: number, once: (client: number, round: number) => Promise<unknown>): Promise<SteadyLoad> {
  const everyMs = (CLIENTS * 1_000) / perSecond;
  const beganMs = performance.now();
  const [answers, turns]: [number[], number[]] = [[], []];
  const client = async (index: number) => {
    for (let round = 0; round * everyMs < RUN_MS + 1_000; round += 1) {
      const turnMs = beganMs + (round + index / CLIENTS) * everyMs;
      await delay(Math.max(0, turnMs - performance.now()));
      const took = await timed(() => once(index, round));
      if (turnMs - beganMs < 1_000) continue;
      answers.push(took);
      turns.push(performance.now() - turnMs);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)));
  const durationMs = performance.now() - beganMs - 1_000;
  return { answers: loadOf(answers, durationMs), turns: loadOf(turns, durationMs) };
}

const threeFiles = (client: number, round: number): readonly Change[] =>
  ["a", "b", "c"].map((name) => ({
    path: `client-${client}/${name}-${round % 50}.txt`,
    content: `${name} ${client} ${round}\n`.repeat(10),
  }));

const describeLoad = ({ perSecond, p50, p99 }: Load) => `${Math.round(perSecond)}/s, p50 ${formatMs(p50)}, p99 ${formatMs(p99)}`;

export async function benchCommitApi(): Promise<readonly BenchRow[]> {
  await using api = await startApiProcess();
  for (let index = 0; index < REPOSITORIES; index += 1) await api.addRepository(`site-${index}`);
  const busy = await load(CLIENTS, (client, round) => commit(api, `site-${client % REPOSITORIES}`, threeFiles(client, round)));
  const steady = await steadyLoad(REQUIRED_PER_SECOND, (client, round) =>
    commit(api, `site-${client % REPOSITORIES}`, threeFiles(CLIENTS + client, round)),
  );
  const alone: number[] = [];
  for (let round = 0; round < ALONE_COMMITS; round += 1) {
    alone.push(await timed(() => commit(api, "site-0", threeFiles(99, round))));
  }
  const [limitOne, limitMany] = [await bareTransactions(api.database, 1), await bareTransactions(api.database, CLIENTS)];
  return [
    {
      bench: "commit-api",
      what: `3 files a commit, ${REPOSITORIES} repositories, ${CLIENTS} clients`,
      result: describeLoad(busy),
      limit: `≥ ${REQUIRED_PER_SECOND}/s, p99 ≤ 80 ms`,
      isWithin: busy.perSecond >= REQUIRED_PER_SECOND && busy.p99 <= 80,
      figures: { ...busy },
    },
    {
      bench: "commit-api",
      what: `the same clients, together ${REQUIRED_PER_SECOND} times a second`,
      result: `${describeLoad(steady.turns)}; of the answers alone p50 ${formatMs(steady.answers.p50)}, p99 ${formatMs(steady.answers.p99)}`,
      limit: "p50 ≤ 15 ms, p99 ≤ 80 ms",
      isWithin: steady.turns.p50 <= 15 && steady.turns.p99 <= 80,
      figures: { ...steady.turns, answersP50: steady.answers.p50, answersP99: steady.answers.p99 },
    },
    {
      bench: "commit-api",
      what: "one client alone",
      result: `p50 ${formatMs(median(alone))}`,
      limit: "≤ 5 ms",
      isWithin: median(alone) <= 5,
      figures: { p50: median(alone) },
    },
    {
      bench: "commit-api",
      what: "the bare transaction (1.5 KB in, one ref moved, one log line)",
      result: `1 client ${describeLoad(limitOne)}; ${CLIENTS} clients ${describeLoad(limitMany)}`,
      limit: "",
      isWithin: null,
      figures: { onePerSecond: limitOne.perSecond, manyPerSecond: limitMany.perSecond },
    },
  ];
}

/** What each commit costs the database at least. */
async function bareTransactions(database: Database, clients: number): Promise<Load> {
  await database.query(
    "CREATE TABLE IF NOT EXISTS bare_objects (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, bytes bytea)",
  );
  await database.query("CREATE TABLE IF NOT EXISTS bare_refs (id integer PRIMARY KEY, oid text)");
  await database.query(
    "CREATE TABLE IF NOT EXISTS bare_log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ref integer, oid text)",
  );
  await database.query("INSERT INTO bare_refs SELECT n, '' FROM generate_series(0, 15) n ON CONFLICT DO NOTHING");
  const bytes = randomBytes(1_536);
  const sql = `WITH object AS (INSERT INTO bare_objects (bytes) VALUES ($1)), moved AS (UPDATE bare_refs SET oid = $2 WHERE id = $3)
    INSERT INTO bare_log (ref, oid) VALUES ($3, $2)`;
  return await load(clients, (client, round) => database.query(sql, [bytes, `${client}-${round}`, client], "bench-bare"));
}

export async function benchCommitHot(): Promise<readonly BenchRow[]> {
  await using api = await startApiProcess();
  await api.addRepository("hot");
  let made = 0;
  const busy = await load(CLIENTS, async (client, round) => {
    await commit(api, "hot", threeFiles(client, round));
    made += 1;
  });
  const { rows } = await api.database.query<{ moves: number }>("SELECT count(*) AS moves FROM reflog");
  const lost = made - (rows[0]?.moves ?? 0);
  return [
    {
      bench: "commit-hot",
      what: `${CLIENTS} clients on one branch`,
      result: `${describeLoad(busy)}, ${made} made, ${lost} lost`,
      limit: "≥ 200/s, none lost, none failed",
      isWithin: busy.perSecond >= 200 && lost === 0,
      figures: { ...busy, made, lost },
    },
  ];
}

export async function benchCommitThousand(): Promise<readonly BenchRow[]> {
  await using api = await startApiProcess();
  await api.addRepository("wide");
  const ms: number[] = [];
  for (let round = 0; round < 12; round += 1) {
    const changes = Array.from({ length: 1_000 }, (_, index) => ({
      path: `folder-${index % 40}/file-${index}.txt`,
      content: randomBytes(2_048).toString("hex"),
    }));
    ms.push(await timed(() => commit(api, "wide", changes)));
  }
  // The first is the server's warm-up.
  const warm = ms.slice(2);
  return [
    {
      bench: "commit-1000",
      what: "1,000 files of 4 KiB",
      result: `${formatMs(median(warm))} (first ${formatMs(ms[0] ?? Number.NaN)})`,
      limit: "≤ 250 ms",
      isWithin: median(warm) <= 250,
      figures: { medianMs: median(warm), firstMs: ms[0] ?? Number.NaN },
    },
  ];
}

const DEEP_FILES = 50_000;
const DEEP_ROUNDS = 300;
const deepPath = (index: number) => `area-${index % 10}/part-${index % 500}/file-${index}.txt`;

export async function benchCommitDeep(): Promise<readonly BenchRow[]> {
  await using api = await startApiProcess();
  await api.addRepository("deep");
  await api.addRepository("flat");
  for (let start = 0; start < DEEP_FILES; start += 1_000) {
    const changes = Array.from({ length: 1_000 }, (_, index) => ({
      path: deepPath(start + index),
      content: `${start + index}\n`,
    }));
    await commit(api, "deep", changes);
  }
  await commit(
    api,
    "flat",
    Array.from({ length: 10 }, (_, index) => ({ path: deepPath(index), content: `${index}\n` })),
  );
  const [deep, flat]: [number[], number[]] = [[], []];
  for (let round = 0; round < DEEP_ROUNDS; round += 1) {
    const content = `changed in round ${round}\n`;
    flat.push(await timed(() => commit(api, "flat", [{ path: deepPath(round % 10), content }])));
    deep.push(await timed(() => commit(api, "deep", [{ path: deepPath((round * 97) % DEEP_FILES), content }])));
  }
  const ratio = median(deep) / median(flat);
  return [
    {
      bench: "commit-deep",
      what: `a file among ${DEEP_FILES} against one among 10`,
      result: `${formatMs(median(deep))} against ${formatMs(median(flat))}, ${ratio.toFixed(2)} ×`,
      limit: "≤ 2 ×",
      isWithin: ratio <= 2,
      figures: { deepMs: median(deep), flatMs: median(flat), ratio },
    },
  ];
}
