// What the builds of Go programs for the tests share: a cache folder of the user, one build at a time, and Go at low priority.
import { spawn } from "node:child_process";
import { access, chmod, constants, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const BUILD_DEADLINE_MS = 25 * 60_000;
const LOCK_POLL_MS = 500;

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The user's cache folder, or one of this user's own below the temp folder where the home cannot be written. */
export async function writableCache(name: string): Promise<string> {
  const home = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const preferred = join(home, "coregit", name);
  try {
    await mkdir(preferred, { recursive: true });
    await access(preferred, constants.W_OK);
    return preferred;
  } catch {
    return ownTempCache(name);
  }
}

async function ownTempCache(name: string): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `coregit-${uid}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const facts = await stat(folder);
  if (facts.uid !== uid) throw new Error(`${folder} belongs to another user; set XDG_CACHE_HOME to a folder that can be written`);
  await chmod(folder, 0o700);
  const cache = join(folder, name);
  await mkdir(cache, { recursive: true });
  return cache;
}

/** Go's own caches stay where the user has them, unless there is no home to write to. */
export async function goCaches(folder: string): Promise<NodeJS.ProcessEnv> {
  const isHomeWritable = await access(homedir(), constants.W_OK).then(
    () => true,
    () => false,
  );
  if (isHomeWritable) return {};
  return { GOCACHE: join(folder, "../go-build"), GOPATH: join(folder, "../go"), GOFLAGS: "-modcacherw" };
}

/** Runs `work` alone among all processes; the lock of a process that died is taken over. */
export async function withBuildLock(lock: string, work: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + BUILD_DEADLINE_MS;
  while (!(await takeLock(lock))) {
    if (Date.now() > deadline) throw new Error(`another build holds ${lock}`);
    await delay(LOCK_POLL_MS);
  }
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function takeLock(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    const holder = Number(await readFile(lock, "utf8").catch(() => ""));
    if (holder > 0 && !isAlive(holder)) await rm(lock, { force: true });
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

type GoRun = { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv };

/** Output of `go` with these arguments, at low priority. @throws Error with what it printed when it fails. */
export function runGo(args: readonly string[], { cwd = tmpdir(), env = {} }: GoRun = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const nice = ["-n", "10", "go", ...args];
    const child = spawn("nice", nice, { cwd, env: { ...process.env, ...env }, timeout: BUILD_DEADLINE_MS });
    const output: Buffer[] = [];
    const problems: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => problems.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) return resolve(Buffer.concat(output).toString());
      reject(new Error(`go ${args.join(" ")} ended with ${code}: ${Buffer.concat(problems).toString().slice(-2000)}`));
    });
  });
}
