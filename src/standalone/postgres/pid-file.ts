// What a running server says about itself in `postmaster.pid`, and whether it is true. The file outlives a server that
// was killed, and by then its process id may be another program's.

import { execFile } from "node:child_process";
import { readFile, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

export type PidFile = {
  readonly pid: number;
  readonly port: number;
  /** True once the server takes connections. */
  readonly isReady: boolean;
};

/** Line numbers, from 0: https://github.com/postgres/postgres/blob/master/src/include/utils/pidfile.h */
const PORT_LINE = 3;
const STATUS_LINE = 7;

/** null when there is none, or it is not yet written out. */
export async function readPidFile(clusterDir: string): Promise<PidFile | null> {
  const text = await readFile(join(clusterDir, "postmaster.pid"), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  return { pid, port: Number(lines[PORT_LINE] ?? 0), isReady: lines[STATUS_LINE]?.trim() === "ready" };
}

/** True while process `pid` is a server that works in `clusterDir`. */
export async function isServerOf(pid: number, clusterDir: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const folder = await realpath(clusterDir);
  // A server's working folder is its data; where /proc does not tell, its command line names it.
  const workingFolder = await readlink(`/proc/${pid}/cwd`).catch(() => null);
  if (workingFolder !== null) return workingFolder === folder;
  const command = await promisify(execFile)("ps", ["-o", "args=", "-p", String(pid)], { timeout: 5_000 }).catch(() => ({
    stdout: "",
  }));
  return command.stdout.includes(folder) || command.stdout.includes(clusterDir);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
