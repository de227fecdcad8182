// What large transfers cost the process that serves them: memory, and the time of those who commit beside them.
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { git } from "../test/support/git.ts";
import { createSourceRepository, type SourceRepository } from "../test/support/source-repository.ts";
import type { ApiProcess } from "./api-process.ts";
import { cloneFrom, type GitHosts, openGitHosts, pushTo, readMemoryMb, resetPeak } from "./git-hosts.ts";
import { createLargeRepository } from "./large-repository.ts";
import { type BenchRow, formatMs, median, timed } from "./measure.ts";

const LARGE_MB = 300;
const BLOB_MB = 4;
const MAX_ADDED_MB = 100;
const COMMITS = 300;
const MAX_SLOWDOWN = 3;

/** A repository whose pack is as large as its files: they are random. */
async function createIncompressible(megabytes: number): Promise<SourceRepository> {
  const source = await createSourceRepository();
  await source.git("config", "core.compression", "0");
  for (let done = 0; done < megabytes; done += BLOB_MB) {
    await source.commit({ [`${done}.bin`]: randomBytes(Math.min(BLOB_MB, megabytes - done) << 20) });
  }
  return source;
}

function memoryRow(bench: string, addedMb: number): BenchRow {
  return {
    bench,
    what: `a pack of ${LARGE_MB} MB: what it adds to the memory of the Node process`,
    result: `${Math.round(addedMb)} MB`,
    limit: `≤ ${MAX_ADDED_MB} MB`,
    isWithin: addedMb <= MAX_ADDED_MB,
    figures: { addedMb },
  };
}

async function addedMb(pid: number, work: () => Promise<unknown>): Promise<number> {
  await resetPeak(pid);
  const before = await readMemoryMb(pid, "VmRSS");
  await work();
  return (await readMemoryMb(pid, "VmHWM")) - before;
}

export async function benchGitMemory(): Promise<readonly BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const large = stack.use(await createIncompressible(LARGE_MB));
  const small = stack.use(await createIncompressible(BLOB_MB));
  const { api, ours, scratch } = stack.use(await openGitHosts());
  for (const slug of ["large", "small"]) await ours.create(slug);
  // What a first push and clone of any size load and build is not what is measured.
  await pushTo(ours.urlOf("small"), small.path);
  await cloneFrom(ours.urlOf("small"), join(scratch, "small-copy"));
  const pushed = await addedMb(api.pid, () => pushTo(ours.urlOf("large"), large.path));
  const cloned = await addedMb(api.pid, () => cloneFrom(ours.urlOf("large"), join(scratch, "large-copy")));
  const same = await git(["-C", join(scratch, "large-copy"), "rev-parse", "main"]);
  if (same !== (await large.head())) throw new Error("the clone is not what was pushed");
  return [memoryRow("push-memory", pushed), memoryRow("clone-memory", cloned)];
}

async function commit(api: ApiProcess, round: number): Promise<void> {
  const author = { name: "Agent", email: "agent@example.com" };
  const changes = [{ path: `file-${round % 50}.txt`, content: `changed in round ${round}\n` }];
  const { status } = await api.post("/v1/repos/edited/commits", { branch: "main", message: "Change", author, changes });
  if (status !== 201) throw new Error(`a commit was answered ${status}`);
}

/** The middle of so many commits, one after the other. */
async function commitMs(api: ApiProcess): Promise<number> {
  const ms: number[] = [];
  for (let round = 0; round < COMMITS; round += 1) ms.push(await timed(() => commit(api, round)));
  return median(ms);
}

/** Clones again and again until stopped; the last is waited for. */
function keepCloning({ ours, scratch }: GitHosts, slug: string): () => Promise<void> {
  let isOver = false;
  const running = (async () => {
    while (!isOver) {
      const folder = join(scratch, "beside");
      await cloneFrom(ours.urlOf(slug), folder);
      await rm(folder, { recursive: true });
    }
  })();
  return async () => {
    isOver = true;
    await running;
  };
}

export async function benchCloneBesideCommits(): Promise<readonly BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(await createLargeRepository(20_000, 2_000));
  const hosts = stack.use(await openGitHosts());
  const { api, ours } = hosts;
  for (const slug of ["cloned", "edited"]) await ours.create(slug);
  await pushTo(ours.urlOf("cloned"), source.path);
  await commitMs(api);
  const alone = await commitMs(api);
  const stop = keepCloning(hosts, "cloned");
  const beside = await commitMs(api).finally(stop);
  const ratio = beside / alone;
  return [
    {
      bench: "clone-beside-commits",
      what: "p50 of a commit while 20,000 files and 2,000 commits are cloned",
      result: `${formatMs(beside)} against ${formatMs(alone)} alone: ${ratio.toFixed(2)} ×`,
      limit: `≤ ${MAX_SLOWDOWN} ×`,
      isWithin: ratio <= MAX_SLOWDOWN,
      figures: { besideMs: beside, aloneMs: alone, ratio },
    },
  ];
}
