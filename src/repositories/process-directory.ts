// A folder of this process below the cache, for everything unfinished: quarantines and packs on their way into a view.
// Its name says whose it is, so that what a killed process left is removed by the next one that starts here.
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Clock } from "../domain/clock.ts";

/** After this a folder of another machine, whose processes cannot be seen from here, is taken for abandoned. */
const ABANDONED_AFTER_MS = 24 * 3_600_000;

export class ProcessDirectory implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes the folder below `parent` and removes those of processes that are gone. */
  static async open(parent: string, clock: Clock): Promise<ProcessDirectory> {
    await mkdir(parent, { recursive: true });
    for (const name of await readdir(parent)) {
      if (await isAbandoned(join(parent, name), name, clock)) await rm(join(parent, name), { recursive: true, force: true });
    }
    const owner = [machine(), process.pid, await startOf(process.pid), randomBytes(4).toString("hex")].join("~");
    const path = join(parent, owner);
    await mkdir(path, { recursive: true });
    return new ProcessDirectory(path);
  }

  /** A path for a folder that nothing else uses; who makes the folder removes it. */
  newFolder(): string {
    return join(this.path, randomBytes(8).toString("hex"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

function machine(): string {
  return encodeURIComponent(hostname());
}

async function isAbandoned(path: string, name: string, clock: Clock): Promise<boolean> {
  const [host, pid, start] = name.split("~");
  if (host === machine()) return (await startOf(Number(pid))) !== start;
  const modified = await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => clock.now(),
  );
  return clock.now() - modified > ABANDONED_AFTER_MS;
}

/**
 * When a process started, as Linux counts it, so that a number used again is told apart; `alive` where the system does
 * not say; null when there is no such process.
 */
async function startOf(pid: number): Promise<string | null> {
  const status = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => null);
  // The command's name stands in parentheses and may hold anything; field 22, counted after it, is the start.
  if (status !== null) return status.slice(status.lastIndexOf(")") + 2).split(" ")[19] ?? "alive";
  if (await stat("/proc/self/stat").catch(() => null)) return null;
  try {
    process.kill(pid, 0);
    return "alive";
  } catch {
    return null;
  }
}
