// A repository made by 10,000 commits through the API, one small pack each, while upkeep joins them: how the process's memory
// goes, and how clone and log compare with the same history in one fresh pack, served by the same process.
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { git } from "../test/support/git.ts";
import type { ApiProcess } from "./api-process.ts";
import { cloneFrom, openGitHosts, pushTo, readMemoryMb } from "./git-hosts.ts";
import { type BenchRow, formatMs, median, type Pair, paired, timed } from "./measure.ts";

const COMMITS = 10_000;
const CLIENTS = 4;
const FILES = 300;
const REPORT_EVERY = 2_000;
const CLONE_ROUNDS = 7;
const LOG_ROUNDS = 9;
const MAX_RATIO = 1.2;
/** A busy repository is compacted within a minute. */
const COMPACTED_WITHIN_MS = 60_000;
/** Fewer packs than this are left alone. */
const FEW_PACKS = 50;
const AUTHOR = { name: "Agent", email: "agent@example.com" };

async function commit(api: ApiProcess, index: number): Promise<void> {
  const changes = [0, 1, 2].map((part) => {
    const file = (index * 7 + part * 101) % FILES;
    return { path: `area-${file % 20}/file-${file}.txt`, content: `commit ${index}, part ${part}\n`.repeat(20) };
  });
  const body = { branch: "main", message: `Change ${index}`, author: AUTHOR, changes };
  const { status } = await api.post("/v1/repos/made/commits", body);
  if (status !== 201) throw new Error(`a commit was answered ${status}`);
}

/** Makes the history; gives the process's memory after each part of it. */
async function makeHistory(api: ApiProcess): Promise<number[]> {
  const memoryMb: number[] = [];
  for (let start = 0; start < COMMITS; start += REPORT_EVERY) {
    const left = Array.from({ length: REPORT_EVERY }, (_, index) => start + index).values();
    const client = async () => {
      for (const index of left) await commit(api, index);
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    memoryMb.push(await readMemoryMb(api.pid, "VmRSS"));
  }
  return memoryMb;
}

/** How long it takes until few packs are left, and how many. */
async function untilCompacted({ database }: ApiProcess): Promise<{ readonly tookMs: number; readonly packs: number }> {
  const startedMs = performance.now();
  for (;;) {
    const sql = "SELECT count(*)::int AS packs FROM packs WHERE repository_id = 'repo_made' AND retired_at IS NULL";
    const packs = (await database.query<{ packs: number }>(sql)).rows[0]?.packs ?? 0;
    const tookMs = performance.now() - startedMs;
    if (packs < FEW_PACKS || tookMs > COMPACTED_WITHIN_MS) return { tookMs, packs };
    await delay(250);
  }
}

function ratioRow(what: string, { ours, peer, ratio }: Pair): BenchRow {
  return {
    bench: "api-history",
    what,
    result: `${formatMs(median(ours))} against ${formatMs(median(peer))} freshly packed: ${ratio.toFixed(2)} ×`,
    limit: `≤ ${MAX_RATIO} ×`,
    isWithin: ratio <= MAX_RATIO,
    figures: { oursMs: median(ours), freshMs: median(peer), ratio },
  };
}

function historyRows(memoryMb: readonly number[], compacted: { readonly tookMs: number; readonly packs: number }): BenchRow[] {
  // The caches, which have a fixed size, fill up during the first part.
  const [filled = Number.NaN, last = Number.NaN] = [memoryMb[1], memoryMb.at(-1)];
  return [
    {
      bench: "api-history",
      what: `memory of the process after each ${REPORT_EVERY} of ${COMMITS} commits`,
      result: `${memoryMb.map((mb) => Math.round(mb)).join(", ")} MB`,
      limit: `the last ≤ ${MAX_RATIO} × the second`,
      isWithin: last <= filled * MAX_RATIO,
      figures: Object.fromEntries(memoryMb.map((mb, index) => [`at${(index + 1) * REPORT_EVERY}`, mb])),
    },
    {
      bench: "api-history",
      what: "packs left once they are joined",
      result: `${compacted.packs} after ${formatMs(compacted.tookMs)}`,
      limit: `< ${FEW_PACKS} within ${formatMs(COMPACTED_WITHIN_MS)}`,
      isWithin: compacted.packs < FEW_PACKS,
      figures: { ...compacted },
    },
  ];
}

export async function benchApiHistory(): Promise<readonly BenchRow[]> {
  await using hosts = await openGitHosts();
  const { api, ours, scratch } = hosts;
  for (const slug of ["made", "fresh", "warm-up"]) await ours.create(slug);
  const memoryMb = await makeHistory(api);
  const compacted = await untilCompacted(api);
  const copy = join(scratch, "copy");
  await cloneFrom(ours.urlOf("made"), copy);
  await git(["-C", copy, "repack", "-adfq"]);
  for (const slug of ["fresh", "warm-up"]) await pushTo(ours.urlOf(slug), copy);
  const clone = (slug: string) => async () => {
    const folder = join(scratch, randomUUID());
    const ms = await timed(() => cloneFrom(ours.urlOf(slug), folder));
    await rm(folder, { recursive: true });
    return ms;
  };
  const log = (slug: string) => async () => {
    // Nothing of the history is in memory then, and everything that is not of the repository is.
    await api.restart("kept");
    for (const warmed of ["warm-up", "warm-up"]) await api.get(`/v1/repos/${warmed}/commits?limit=100`);
    return await timed(() => api.get(`/v1/repos/${slug}/commits?limit=100`));
  };
  for (const slug of ["made", "fresh"]) await clone(slug)();
  const clones = await paired(CLONE_ROUNDS, clone("made"), clone("fresh"));
  const logs = await paired(LOG_ROUNDS, log("made"), log("fresh"));
  return [
    ...historyRows(memoryMb, compacted),
    ratioRow(`clone of ${COMMITS} commits of the API`, clones),
    ratioRow("the last 100 of them, the first call of a process", logs),
  ];
}
