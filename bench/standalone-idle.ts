// The standalone as a process of its own: memory when idle after an import, and the time of a second start until it is ready.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { createSourceRepository, manyFiles } from "../test/support/source-repository.ts";
import { type BenchRow, formatMs } from "./measure.ts";

const ROOT = join(import.meta.dirname, "..");
const START_DEADLINE_MS = 30_000;
const SETTLE_MS = 10_000;
const RSS_LIMIT_MB = 200;
const START_LIMIT_MS = 3_000;

export async function benchStandaloneIdle(): Promise<readonly BenchRow[]> {
  await using cleanup = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "coregit-bench-idle-"));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  const source = cleanup.use(await createSourceRepository());
  await source.commit(manyFiles(1_000));
  await mkdir(join(folder, "manifests"));
  const spec = `  remote: ${pathToFileURL(source.path).href}\n  interval: 5s\n`;
  const manifest = `apiVersion: coregit.dev/v1alpha1\nkind: RepoSync\nmetadata:\n  name: idle\nspec:\n${spec}`;
  await writeFile(join(folder, "manifests", "idle.yaml"), manifest);

  const first = await start(folder, source.path);
  await stop(first.child);
  const second = await start(folder, source.path);
  await delay(SETTLE_MS);
  const rssMb = await readRssMb(second.child.pid ?? 0);
  await stop(second.child);
  return [
    {
      bench: "standalone-idle",
      what: "memory of the Node process, one sync polled every 5 s",
      result: `${Math.round(rssMb)} MB`,
      limit: `≤ ${RSS_LIMIT_MB} MB`,
      isWithin: rssMb <= RSS_LIMIT_MB,
      figures: { rssMb },
    },
    {
      bench: "standalone-idle",
      what: "second start until /readyz answers 200",
      result: `${formatMs(second.readyMs)} (first: ${formatMs(first.readyMs)})`,
      limit: `≤ ${START_LIMIT_MS} ms`,
      isWithin: second.readyMs <= START_LIMIT_MS,
      figures: { firstMs: first.readyMs, secondMs: second.readyMs },
    },
  ];
}

async function start(folder: string, fileRemotes: string): Promise<{ readonly child: ChildProcess; readonly readyMs: number }> {
  const startedMs = performance.now();
  const dataDir = join(folder, "data");
  const args = [join(ROOT, "src/main.ts"), "standalone", "--manifests", join(folder, "manifests"), "--data-dir", dataDir];
  const env = {
    PATH: process.env.PATH,
    COREGIT_FILE_REMOTES: fileRemotes,
    COREGIT_LISTEN: "127.0.0.1:0",
    COREGIT_LOG_LEVEL: "warn",
  };
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ["ignore", "ignore", "inherit"] });
  while (performance.now() - startedMs < START_DEADLINE_MS) {
    if (await isReady(dataDir, child.pid ?? 0)) return { child, readyMs: performance.now() - startedMs };
    await delay(20);
  }
  child.kill("SIGKILL");
  throw new Error("the standalone did not become ready");
}

async function isReady(dataDir: string, pid: number): Promise<boolean> {
  try {
    const instance = JSON.parse(await readFile(join(dataDir, "standalone.json"), "utf8")) as {
      readonly url: string;
      readonly pid: number;
    };
    return instance.pid === pid && (await fetch(`${instance.url}/readyz`)).ok;
  } catch {
    return false;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  const closed = once(child, "close");
  child.kill("SIGTERM");
  await closed;
}

async function readRssMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}
