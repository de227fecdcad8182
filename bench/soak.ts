// The standalone under a steady load for as long as COREGIT_SOAK_MINUTES says: a commit by the API and one at a remote that it imports
// each half second, a clone each ten. What a leak would make grow is compared between the first third, after a warm-up, and the last.
import { mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePorts } from "../test/support/free-ports.ts";
import { git } from "../test/support/git.ts";
import { startProgram } from "../test/support/running-program.ts";
import { createSourceRepository, type SourceRepository } from "../test/support/source-repository.ts";
import { until } from "../test/support/until.ts";
import type { BenchRow } from "./measure.ts";

const MAIN = join(import.meta.dirname, "../src/main.ts");
const MINUTES = Number(process.env.COREGIT_SOAK_MINUTES ?? 5);
const TURN_MS = 500;
const CLONE_EVERY_TURNS = 20;
const READY_WITHIN_MS = 60_000;
const KEY = "cgk_live_0123456789abcdefghij";
/** Caches fill at first: what a process has by then is no leak. */
const WARM_UP = 0.25;
const MAX_RSS_GROWTH = 0.1;
/** A heap grows to its pace first: memory is judged in runs that are at least this long, and shown in shorter ones. */
const MEMORY_JUDGED_FROM_MINUTES = 30;
const MAX_HANDLE_GROWTH = 8;

type Sample = { readonly rssMb: number; readonly files: number; readonly sockets: number };

export async function benchSoak(): Promise<readonly BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "coregit-soak-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const source = stack.use(await createSourceRepository());
  await source.commit({ "README.md": "Hello\n" });
  const [port] = await freePorts(1);
  const program = startProgram(process.execPath, {
    args: [MAIN, "standalone", "--data-dir", join(folder, "data"), "--listen", `127.0.0.1:${port}`],
    logPath: join(folder, "log"),
    env: { COREGIT_MASTER_KEY: KEY, COREGIT_FILE_REMOTES: source.path, COREGIT_LOG_LEVEL: "warn" },
  });
  stack.use(program);
  const load = await prepareLoad(`http://127.0.0.1:${port}`, source);
  const samples: Sample[] = [];
  const endMs = performance.now() + MINUTES * 60_000;
  for (let turn = 0; performance.now() < endMs; turn += 1) {
    await load.turn(turn);
    if (turn % CLONE_EVERY_TURNS === 0) {
      await load.clone(join(folder, "clone"));
      samples.push(await sample(program.child.pid ?? 0));
    }
    await delay(TURN_MS);
  }
  return judge(samples.slice(Math.floor(samples.length * WARM_UP)), load.turns());
}

/** A repository that imports and takes commits; a turn changes both sides, at different paths. */
async function prepareLoad(url: string, source: SourceRepository) {
  const isReady = () =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until("the standalone is ready", isReady, READY_WITHIN_MS);
  const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const headers = { "x-api-key": KEY, "content-type": "application/json" };
    const answer = await fetch(`${url}/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Record<string, unknown>;
  };
  const { id: connection_id } = await post("/connections", { provider: "git", label: "Soak", username: "any", password: "any" });
  await post("/repos", { slug: "soak" });
  const { id: sync_id } = await post("/repos/soak/sync/config", { connection_id, remote: source.url, branch: "main" });
  let turns = 0;
  return {
    turns: () => turns,
    async turn(number: number): Promise<void> {
      const content = `${number}\n`;
      await source.commit({ [`there/${number % 50}`]: content });
      await post("/repos/soak/sync", { sync_id });
      const changes = [{ path: `here/${number % 50}`, content }];
      await post("/repos/soak/commits", { branch: "main", message: content, author: { name: "A", email: "a@b.c" }, changes });
      turns += 1;
    },
    async clone(to: string): Promise<void> {
      await git(["clone", "--quiet", "--bare", `${url.replace("://", `://any:${KEY}@`)}/soak.git`, to]);
      await rm(to, { recursive: true });
    },
  };
}

/** Of Linux's /proc. */
async function sample(pid: number): Promise<Sample> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const names = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => "")));
  const sockets = targets.filter((target) => target.startsWith("socket:")).length;
  return { rssMb: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024, files: targets.length - sockets, sockets };
}

function judge(samples: readonly Sample[], turns: number): readonly BenchRow[] {
  const third = Math.max(1, Math.floor(samples.length / 3));
  const [first, last] = [samples.slice(0, third), samples.slice(-third)];
  const row = (what: string, field: keyof Sample, most: (before: number) => number): BenchRow => {
    const [before, after] = [median(first, field), median(last, field)];
    return {
      bench: "soak",
      what: `${what}, first and last third of ${MINUTES} min, ${turns} turns`,
      result: `${Math.round(before)} → ${Math.round(after)}`,
      limit: `≤ ${Math.round(most(before))}`,
      isWithin: field === "rssMb" && MINUTES < MEMORY_JUDGED_FROM_MINUTES ? null : after <= most(before),
      figures: { before, after, turns },
    };
  };
  return [
    row("resident memory in MB", "rssMb", (before) => before * (1 + MAX_RSS_GROWTH)),
    row("open files", "files", (before) => before + MAX_HANDLE_GROWTH),
    row("connections", "sockets", (before) => before + MAX_HANDLE_GROWTH),
  ];
}

function median(samples: readonly Sample[], field: keyof Sample): number {
  const sorted = samples.map((each) => each[field]).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
