// Finds the programs of a Kubernetes control plane, building them when nobody has: KUBEBUILDER_ASSETS, else the
// cache, else `go build` of test/kube/control-plane. A build takes minutes once; its folder is named by everything
// that decides its content, appears by one rename, and two test runs at once make one build.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { access, chmod, constants, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const PROGRAMS = ["etcd", "kube-apiserver", "kubectl"] as const;
const MODULE = join(import.meta.dirname, "../kube/control-plane");
const SOURCES = ["go.mod", "go.sum", ...PROGRAMS.map((program) => `cmd/${program}/main.go`)];
const KUBERNETES_VERSION = "v1.36.3";
const BUILD_DEADLINE_MS = 25 * 60_000;
const LOCK_POLL_MS = 500;

/**
 * A folder that holds etcd, kube-apiserver and kubectl.
 * @throws Error naming what to install when there is neither a Go tool chain nor a folder of programs.
 */
export async function controlPlanePrograms(say: (line: string) => void): Promise<string> {
  const given = process.env.KUBEBUILDER_ASSETS;
  if (given !== undefined && given !== "") return checked(given);
  const goVersion = await readGoVersion();
  const cache = await writableCache();
  const target = join(cache, await buildKey(goVersion));
  if (await isComplete(target)) return target;
  await withBuildLock(`${target}.lock`, async () => {
    if (!(await isComplete(target))) await buildInto(target, say);
  });
  return target;
}

async function checked(folder: string): Promise<string> {
  if (await isComplete(folder)) return folder;
  throw new Error(`KUBEBUILDER_ASSETS=${folder} does not hold ${PROGRAMS.join(", ")}`);
}

async function isComplete(folder: string): Promise<boolean> {
  const found = await Promise.all(PROGRAMS.map((program) => isExecutable(join(folder, program))));
  return found.every(Boolean);
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function readGoVersion(): Promise<string> {
  try {
    return (await run("go", ["env", "GOVERSION", "GOOS", "GOARCH"], {})).trim();
  } catch (error) {
    throw new Error(
      "The Kubernetes tests need a control plane: install Go 1.26 or newer, or set KUBEBUILDER_ASSETS to a folder with " +
        `${PROGRAMS.join(", ")} (for example from setup-envtest).`,
      { cause: error },
    );
  }
}

/** The user's cache folder, or one of this user's own below the temp folder where the home cannot be written. */
async function writableCache(): Promise<string> {
  const home = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const preferred = join(home, "coregit", "control-plane");
  try {
    await mkdir(preferred, { recursive: true });
    await access(preferred, constants.W_OK);
    return preferred;
  } catch {
    return ownTempCache();
  }
}

async function ownTempCache(): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `coregit-${uid}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const facts = await stat(folder);
  if (facts.uid !== uid) throw new Error(`${folder} belongs to another user; set XDG_CACHE_HOME to a folder that can be written`);
  await chmod(folder, 0o700);
  const cache = join(folder, "control-plane");
  await mkdir(cache, { recursive: true });
  return cache;
}

async function buildKey(goVersion: string): Promise<string> {
  const hash = createHash("sha256").update(`${goVersion}\0${KUBERNETES_VERSION}\0`);
  for (const source of SOURCES) {
    hash.update(`${source}\0`).update(await readFile(join(MODULE, source)));
  }
  return hash.digest("hex").slice(0, 20);
}

async function buildInto(target: string, say: (line: string) => void): Promise<void> {
  const draft = await mkdtemp(`${target}.draft-`);
  try {
    for (const program of PROGRAMS) {
      say(`building ${program} of Kubernetes ${KUBERNETES_VERSION} for the tests, once (a few minutes)`);
      await buildProgram(program, draft);
    }
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function buildProgram(program: string, folder: string): Promise<void> {
  const stamp = `-X k8s.io/component-base/version.gitVersion=${KUBERNETES_VERSION}`;
  const args = [
    "-n",
    "10",
    "go",
    "build",
    "-trimpath",
    "-buildvcs=false",
    "-ldflags",
    `-s -w ${stamp}`,
    "-o",
    join(folder, program),
  ];
  await run("nice", [...args, `./cmd/${program}`], await goCaches(folder));
}

/** Go's own caches stay where the user has them, unless there is no home to write to. */
async function goCaches(folder: string): Promise<NodeJS.ProcessEnv> {
  const isHomeWritable = await access(homedir(), constants.W_OK).then(
    () => true,
    () => false,
  );
  if (isHomeWritable) return {};
  return { GOCACHE: join(folder, "../go-build"), GOPATH: join(folder, "../go"), GOFLAGS: "-modcacherw" };
}

/** Runs `work` alone among all processes; the lock of a process that died is taken over. */
async function withBuildLock(lock: string, work: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + BUILD_DEADLINE_MS;
  while (!(await takeLock(lock))) {
    if (Date.now() > deadline) throw new Error(`another build of the control plane holds ${lock}`);
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

function run(command: string, args: readonly string[], extraEnv: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: MODULE, env: { ...process.env, ...extraEnv }, timeout: BUILD_DEADLINE_MS });
    const output: Buffer[] = [];
    const problems: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => problems.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) return resolve(Buffer.concat(output).toString());
      reject(new Error(`${command} ${args.join(" ")} ended with ${code}: ${Buffer.concat(problems).toString().slice(-2000)}`));
    });
  });
}
