// Which git processes a process has below it, as Linux shows them.
import { readdir, readFile } from "node:fs/promises";

type Process = { readonly pid: number; readonly parent: number; readonly name: string; readonly isZombie: boolean };

/** The parts of git that take in what others send; without servers that tests run themselves (`http-backend`). */
const RECEIVING = /index-pack|fetch|repack|unpack/;

export type RunningGit = { readonly pid: number; readonly command: string };

/** The running descendants of `pid` that are git and do the work that `kind` names. */
export async function findGit(pid: number, kind: RegExp): Promise<RunningGit[]> {
  const processes = await listProcesses();
  const below = new Set([pid]);
  for (let size = 0; size !== below.size; ) {
    size = below.size;
    for (const one of processes) if (below.has(one.parent)) below.add(one.pid);
  }
  const git = processes.filter((one) => one.pid !== pid && below.has(one.pid) && one.name.startsWith("git") && !one.isZombie);
  const found = await Promise.all(git.map(async (one) => ({ pid: one.pid, command: await commandOf(one.pid) })));
  return found.filter(({ command }) => kind.test(command));
}

async function commandOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ");
}

/** Command lines of the running descendants of `pid` that take something in. */
export async function runningGit(pid: number): Promise<string[]> {
  return (await findGit(pid, RECEIVING)).map(({ command }) => command);
}

/** How many bytes a process has written so far, to whatever; null when it has ended. */
export async function bytesWritten(pid: number): Promise<number | null> {
  const io = await readFile(`/proc/${pid}/io`, "utf8").catch(() => "");
  const [, written] = /^wchar: (\d+)$/m.exec(io) ?? [];
  return written === undefined ? null : Number(written);
}

async function listProcesses(): Promise<Process[]> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(ids.map(readProcess));
  return found.filter((one) => one !== null);
}

async function readProcess(id: string): Promise<Process | null> {
  const line = await readFile(`/proc/${id}/stat`, "utf8").catch(() => "");
  const [, name, state, parent] = /^\d+ \((.*)\) (\S) (\d+)/.exec(line) ?? [];
  if (name === undefined || state === undefined) return null;
  return { pid: Number(id), parent: Number(parent), name, isZombie: state === "Z" };
}
