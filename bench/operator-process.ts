// The `operator` role as a process of its own, and what is to be known of it from outside: its metrics, memory and processor time.
import { execFile } from "node:child_process";
import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { freePorts } from "../test/support/free-ports.ts";
import { type RunningProgram, startProgram } from "../test/support/running-program.ts";

const ROOT = join(import.meta.dirname, "..");
const READY_DEADLINE_MS = 120_000;
/** What Node takes for its heap in a container of the 2 GiB that the chart allows, without which it collects garbage later, and what the chart sets. */
const NODE_OPTIONS = "--max-old-space-size=1024 --max-semi-space-size=8";
/** Of `/proc/<pid>/stat`, on every Linux. */
const TICKS_PER_SECOND = 100;

export type OperatorProcess = AsyncDisposable & {
  readonly name: string;
  readonly program: RunningProgram;
  readonly pid: number;
  /** Its caches are full, whether it leads or not. */
  isReady(): Promise<boolean>;
  /** The sum of the series whose line matches; lines are as Prometheus reads them. */
  metric(series: RegExp): Promise<number>;
  /** Reconciles of RepoSyncs that ended, and keys that wait or are in somebody's hands. */
  progress(): Promise<{ readonly reconciled: number; readonly open: number }>;
  rssMb(): Promise<number>;
  /** User and system time so far. */
  cpuMs(): Promise<number>;
  log(): Promise<string>;
};

export type OperatorStart = {
  readonly name: string;
  /** What is run, as `buildProgram` made it. */
  readonly main: string;
  /** Its data and its log. */
  readonly folder: string;
  readonly kubeconfig: string;
  readonly databaseUrl: string;
  readonly settings?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
};

/** The program as an image has it: compiled, as memory and start of one that is translated while it runs are others. Answers its main file. */
export async function buildProgram(folder: string): Promise<string> {
  const dist = join(folder, "dist");
  await promisify(execFile)(process.execPath, [join(ROOT, "scripts/build.ts"), dist]);
  for (const name of ["node_modules", "package.json", "crds"]) await symlink(join(ROOT, name), join(folder, name));
  return join(dist, "main.js");
}

/** Resolves at once, before the process is ready. */
export async function startOperatorProcess(start: OperatorStart): Promise<OperatorProcess> {
  const { name, main, folder, kubeconfig, databaseUrl } = start;
  const [port] = await freePorts(1);
  const logPath = join(folder, `${name}.log`);
  const env = {
    KUBECONFIG: kubeconfig,
    COREGIT_DATABASE_URL: databaseUrl,
    COREGIT_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString("base64"),
    COREGIT_ALLOWED_HOSTS: "127.0.0.0/8",
    COREGIT_LISTEN: `127.0.0.1:${port}`,
    COREGIT_DATA_DIR: join(folder, name),
    NODE_COMPILE_CACHE: join(folder, "compiled"),
    NODE_OPTIONS,
    ...start.settings,
  };
  const program = startProgram(process.execPath, { args: [main, "operator", ...(start.args ?? [])], logPath, env });
  const pid = program.child.pid ?? 0;
  return {
    name,
    program,
    pid,
    isReady: () =>
      fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    metric: async (series) => sumOf(await page(port), series),
    async progress() {
      const text = await page(port);
      const reconciled = sumOf(text, /^controller_runtime_reconcile_total\{controller="reposync",/);
      const taken = sumOf(text, /^workqueue_queue_duration_seconds_count\{.*controller="reposync"\}/);
      return { reconciled, open: sumOf(text, /^workqueue_depth\{.*controller="reposync"\}/) + taken - reconciled };
    },
    async rssMb() {
      const status = await readFile(`/proc/${pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024;
    },
    async cpuMs() {
      // Fields 14 and 15; the second field may hold anything but ends with the last bracket.
      const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ").at(-1)?.split(" ") ?? [];
      return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
    },
    log: () => readFile(logPath, "utf8"),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** "" while nobody answers. */
async function page(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => null);
  return (await answer?.text()) ?? "";
}

function sumOf(text: string, series: RegExp): number {
  return text.split("\n").reduce((sum, line) => (series.test(line) ? sum + Number(line.split(" ").at(-1)) : sum), 0);
}

/** Resolves once `condition` holds. @throws Error with the end of the operator's log when it does not. */
export async function untilOperator(
  operator: OperatorProcess,
  condition: () => Promise<boolean>,
  deadlineMs = READY_DEADLINE_MS,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > endMs || operator.program.child.exitCode !== null)
      throw new Error(`${operator.name} did not get there:\n${(await operator.log()).slice(-3000)}`);
    await delay(20);
  }
}
