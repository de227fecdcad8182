// One server process over a database folder: found running, or started; and stopped. The server is not bound to the
// life of this process: one that a killed program left behind is used again by the next.

import { type FileHandle, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { CoregitError } from "../../domain/errors.ts";
import { isServerOf, readPidFile } from "./pid-file.ts";
import { ended, runProgram } from "./run-program.ts";
import type { ServerAccount } from "./server-account.ts";

export type RunningServer = { readonly pid: number; readonly port: number };

export type ServerOptions = {
  readonly clusterDir: string;
  readonly postgres: string;
  readonly serverAccount: ServerAccount;
  /** The server's own messages go here. */
  readonly log: FileHandle;
  /** false: skips what survives a power cut; for tests only. */
  readonly durable: boolean;
  readonly signal: AbortSignal;
  /** Default: any that is free. */
  readonly port?: number;
};

/** Recovery after a crash replays at most a few checkpoints of log. */
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 10;
/** A fast shutdown writes a checkpoint; one that takes longer is cut short, and the next start recovers. */
const STOP_TIMEOUT_MS = 20_000;
/** The port is free when it is chosen and may be taken before the server has it. */
const START_ATTEMPTS = 4;
/** Also the time that processes of a server that was killed need to notice and go. */
const PAUSE_BETWEEN_ATTEMPTS_MS = 250;

/** The server that already runs over `clusterDir`, once it takes connections; null when none does. */
export async function findServer(clusterDir: string, signal: AbortSignal): Promise<RunningServer | null> {
  const found = await readPidFile(clusterDir);
  if (found === null) return null;
  if (await isServerOf(found.pid, clusterDir)) return await waitUntilReady(clusterDir, found.pid, signal);
  // The server would take another program under this id for itself and refuse; processes of the old server that are
  // still there it finds by its shared memory.
  await rm(join(clusterDir, "postmaster.pid"), { force: true });
  return null;
}

/** Starts the server and resolves when it takes connections. The caller holds the data directory's lock. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  for (let attempt = 1; attempt <= START_ATTEMPTS; attempt += 1) {
    const server = await tryStart(options);
    if (server !== null) return server;
    await pause(PAUSE_BETWEEN_ATTEMPTS_MS, undefined, { signal: options.signal });
  }
  throw startFailure("ended while it started", options.clusterDir);
}

/** Disconnects all clients and shuts down; resolves when the process is gone. */
export async function stopServer({ pid }: RunningServer, clusterDir: string): Promise<void> {
  if (!(await isServerOf(pid, clusterDir))) return;
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    process.kill(pid, signal);
    if (await isGone(pid, clusterDir)) return;
  }
}

async function isGone(pid: number, clusterDir: string): Promise<boolean> {
  const deadlineMs = performance.now() + STOP_TIMEOUT_MS;
  while (await isServerOf(pid, clusterDir)) {
    if (performance.now() > deadlineMs) return false;
    await pause(POLL_MS);
  }
  return true;
}

async function tryStart(options: ServerOptions): Promise<RunningServer | null> {
  const { clusterDir, signal } = options;
  const child = runProgram(options.serverAccount, await serverArgv(options), options.log.fd);
  const end = new AbortController();
  const ending = ended(child).then(() => end.abort());
  try {
    const ready = await waitUntilReady(clusterDir, child.pid ?? 0, AbortSignal.any([signal, end.signal]));
    child.unref();
    return ready;
  } catch (error) {
    if (end.signal.aborted) return null;
    child.kill("SIGQUIT");
    await ending;
    throw error;
  }
}

async function serverArgv({ postgres, clusterDir, durable, port }: ServerOptions): Promise<readonly string[]> {
  const settings = {
    listen_addresses: "127.0.0.1",
    port: String(port ?? (await freePort())),
    unix_socket_directories: "",
    // Statements that the server refuses are for the caller, who gets them; the log is about the server itself.
    log_min_messages: "log",
    log_checkpoints: "off",
    ...(durable ? {} : { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }),
  };
  return [postgres, "-D", clusterDir, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
}

async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once("error", reject);
  server.listen({ host: "127.0.0.1", port: 0 }, () => {
    const address = server.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    server.close(() => resolve(port));
  });
  return await promise;
}

async function waitUntilReady(clusterDir: string, pid: number, signal: AbortSignal): Promise<RunningServer> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadlineMs) {
    signal.throwIfAborted();
    const found = await readPidFile(clusterDir);
    if (found?.pid === pid && found.isReady) return { pid, port: found.port };
    await pause(POLL_MS);
  }
  throw startFailure("did not become ready in time", clusterDir);
}

function startFailure(what: string, clusterDir: string): CoregitError {
  return new CoregitError("DatabaseUnavailable", `The embedded database ${what}; ${clusterDir}.log has the reason.`);
}
