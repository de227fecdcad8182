// Imports of a 20,000-file repository over loopback HTTP, each beside native git doing the like from the same URL. Ours is
// the whole run: from asking for it to its result, commit published and durable.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { CHANNELS } from "../src/db/database.ts";
import { git } from "../test/support/git.ts";
import { QUIET_SPEC } from "../test/support/quiet-spec.ts";
import type { SourceRepository } from "../test/support/source-repository.ts";
import { type EngineStack, openEngineStack } from "./engine-stack.ts";
import { createLargeRepository, largePath } from "./large-repository.ts";
import { type BenchRow, formatMs, median, paired, timed } from "./measure.ts";

const COLD_ROUNDS = 5;
const INCREMENTAL_ROUNDS = 9;
const NOOP_ROUNDS = 50;
const NOOP_OWN_MS = 15;

type Bench = {
  readonly stack: EngineStack;
  readonly server: ChildProcess;
  readonly source: SourceRepository;
  readonly url: string;
  readonly scratch: string;
};

export async function benchImport(): Promise<readonly BenchRow[]> {
  await using cleanup = new AsyncDisposableStack();
  const source = cleanup.use(await createLargeRepository());
  const server = fork(join(import.meta.dirname, "serve-git.ts"), [dirname(source.path)]);
  cleanup.defer(() => void server.kill());
  const url = String((await once(server, "message"))[0]);
  const scratch = await mkdtemp(join(tmpdir(), "coregit-bench-peer-"));
  cleanup.defer(() => rm(scratch, { recursive: true, force: true }));
  const stack = cleanup.use(await openEngineStack());
  const bench = { stack, server, source, scratch, url: `${url}/${basename(source.path)}` };
  return [await cold(bench), await incremental(bench), ...(await noop(bench))];
}

async function declare({ stack, url }: Bench, name: string): Promise<string> {
  const owner = { kind: "file", ref: name } as const;
  const spec = { ...QUIET_SPEC, remote: url, branch: "main" };
  const { id } = await stack.declarations.declareSync({
    owner,
    namespace: "bench",
    name,
    repository: name,
    connection: null,
    spec,
  });
  return id;
}

/** A new sync is due at once, so its first run needs no asking. */
async function firstRun({ stack }: Bench, syncId: string): Promise<void> {
  let changed = Promise.withResolvers<void>();
  const wake = (): void => changed.resolve();
  await using _changes = await stack.database.listen(CHANNELS.syncChanged, { onMessage: wake, onGap: wake });
  for (;;) {
    const sync = await stack.declarations.readSync(syncId);
    if (sync !== null && sync.lastError !== null) throw new Error(`the run failed: ${sync.lastError}`);
    if (sync !== null && sync.lastSyncedSha !== null) return;
    await changed.promise;
    changed = Promise.withResolvers();
  }
}

async function run({ stack }: Bench, syncId: string): Promise<void> {
  const result = await stack.triggers.run(syncId, {}, AbortSignal.timeout(120_000));
  if (result.status === "error") throw new Error(`the run failed: ${result.message}`);
}

async function cold(bench: Bench): Promise<BenchRow> {
  let round = 0;
  const { ratio, ours, peer } = await paired(
    COLD_ROUNDS,
    async () => {
      round += 1;
      const name = `cold-${round}`;
      return await timed(async () => firstRun(bench, await declare(bench, name)));
    },
    async () => {
      const folder = join(bench.scratch, `cold-${round}`);
      const ms = await timed(() => git(["clone", "--quiet", "--bare", "--depth=1", bench.url, folder]));
      await rm(folder, { recursive: true, force: true });
      return ms;
    },
  );
  return {
    bench: "import-cold",
    what: "20,000 files, against git clone --bare --depth=1",
    result: `${formatMs(median(ours))} against ${formatMs(median(peer))}: ${ratio.toFixed(2)} ×`,
    limit: "≤ 1.3 ×",
    isWithin: ratio <= 1.3,
    figures: { oursMs: median(ours), peerMs: median(peer), ratio },
  };
}

async function incremental(bench: Bench): Promise<BenchRow> {
  const syncId = await declare(bench, "incremental");
  await run(bench, syncId);
  const clone = join(bench.scratch, "incremental");
  await git(["clone", "--quiet", "--bare", "--depth=1", bench.url, clone]);
  let round = 0;
  const { ours, peer } = await paired(
    INCREMENTAL_ROUNDS,
    () => timed(() => run(bench, syncId)),
    async () => {
      round += 1;
      await bench.source.commit({ [largePath(round * 97)]: `changed in round ${round}\n` });
      return await timed(() => git(["-C", clone, "fetch", "--quiet", "--depth=1", bench.url, "+main:main"]));
    },
  );
  const limitMs = median(peer) * 1.3 + 50;
  return {
    bench: "import-incremental",
    what: "one changed file, against git fetch --depth=1",
    result: `${formatMs(median(ours))} against ${formatMs(median(peer))}`,
    limit: `≤ 1.3 × + 50 ms = ${formatMs(limitMs)}`,
    isWithin: median(ours) <= limitMs,
    figures: { oursMs: median(ours), peerMs: median(peer) },
  };
}

async function countRequests({ server }: Bench): Promise<number> {
  const answer = once(server, "message");
  server.send("coregit-bench");
  return Number((await answer)[0]);
}

/** A poll as the timer makes it: due, claimed, run. Answers the run's milliseconds. */
async function poll({ stack }: Bench, syncId: string): Promise<number> {
  const ended = stack.nextRun();
  await stack.database.query("UPDATE syncs SET next_run_at = now() WHERE id = $1", [syncId]);
  await stack.database.query("SELECT pg_notify($1, $2)", [CHANNELS.syncDue, syncId]);
  return await ended;
}

/** What a head check sends: protocol v2, one ref-prefix. */
async function askHead(url: string): Promise<void> {
  const lines = ["command=ls-refs\n", "object-format=sha1", null, "peel\n", "symrefs\n", "ref-prefix refs/heads/main\n"];
  const packet = (line: string | null): string =>
    line === null ? "0001" : `${(line.length + 4).toString(16).padStart(4, "0")}${line}`;
  const response = await fetch(`${url}/git-upload-pack`, {
    method: "POST",
    headers: { "content-type": "application/x-git-upload-pack-request", "git-protocol": "version=2" },
    body: `${lines.map(packet).join("")}0000`,
  });
  if (!(await response.text()).includes("refs/heads/main")) throw new Error("the bare request was not answered");
}

async function noop(bench: Bench): Promise<readonly BenchRow[]> {
  const syncId = await declare(bench, "noop");
  await run(bench, syncId);
  const requestsBefore = await countRequests(bench);
  const remoteMs: number[] = [];
  const ms: number[] = [];
  for (let round = 0; round < NOOP_ROUNDS; round += 1) {
    ms.push(await poll(bench, syncId));
    remoteMs.push(await timed(() => askHead(bench.url)));
  }
  const perRun = ((await countRequests(bench)) - requestsBefore) / NOOP_ROUNDS;
  const ownMs = median(ms) - median(remoteMs);
  return [
    {
      bench: "import-noop",
      what: "requests to the remote",
      result: perRun.toFixed(2),
      limit: "1",
      isWithin: perRun === 1,
      figures: { requests: perRun },
    },
    {
      bench: "import-noop",
      what: "a poll that finds nothing, less the same request sent bare",
      result: `${formatMs(ownMs)} (${formatMs(median(ms))} less ${formatMs(median(remoteMs))})`,
      limit: `≤ ${NOOP_OWN_MS} ms`,
      isWithin: ownMs <= NOOP_OWN_MS,
      figures: { ownMs, totalMs: median(ms), remoteMs: median(remoteMs) },
    },
  ];
}
