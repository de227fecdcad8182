// One program a data directory. The lock is a listening socket, which the kernel releases with the process however it
// dies, so that there is nothing stale to judge: on Linux an abstract socket named by the directory's device and
// inode, elsewhere a socket file in the directory that counts only while something answers on it.

import { access, constants, mkdir, rm, stat } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { CoregitError } from "../domain/errors.ts";

/**
 * Holds the data directory (made when missing) until disposed.
 * @throws CoregitError `DatabaseUnavailable` at once when another running program holds it, `StorageUnavailable` when
 *   it cannot be made or written.
 */
export async function lockDataDir(dataDir: string): Promise<AsyncDisposable> {
  const path = await prepare(dataDir);
  const server = (await tryListen(path)) ?? (await takeOver(path));
  if (server === null) {
    throw new CoregitError("DatabaseUnavailable", `Another coregit is running on the data directory ${dataDir}.`);
  }
  server.unref();
  return {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Makes the directory and returns the path of its socket. */
async function prepare(dataDir: string): Promise<string> {
  try {
    // The database of a root process runs as another account, which must be able to pass through.
    await mkdir(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
    await access(dataDir, constants.W_OK | constants.X_OK);
    return await socketPath(dataDir);
  } catch (cause) {
    const sentence = `The data directory ${dataDir} (COREGIT_DATA_DIR) cannot be made or may not be written.`;
    throw new CoregitError("StorageUnavailable", sentence, { cause });
  }
}

async function socketPath(dataDir: string): Promise<string> {
  const { dev, ino } = await stat(dataDir);
  return process.platform === "linux" ? `\0coregit-data-${dev}-${ino}` : join(dataDir, "lock");
}

/** The listening server, or null when the path is taken. */
async function tryListen(path: string): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<Server | null>();
  server.once("error", (error) => ("code" in error && error.code === "EADDRINUSE" ? resolve(null) : reject(error)));
  server.listen({ path }, () => resolve(server));
  return await promise;
}

/** A socket file outlives its process; an abstract socket does not, so one that is taken is in use. */
async function takeOver(path: string): Promise<Server | null> {
  if (path.startsWith("\0") || (await isAnswered(path))) return null;
  await rm(path, { force: true });
  return await tryListen(path);
}

async function isAnswered(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ path }, () => resolve(true)).once("error", () => resolve(false));
  const answered = await promise;
  socket.destroy();
  return answered;
}
