// Makes the database's folder, once. It appears under its name only when it is complete and on disk: initdb works in a
// folder beside it, and a crash leaves that one behind for the next start to remove.

import { execFile } from "node:child_process";
import { chown, type FileHandle, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { CoregitError } from "../../domain/errors.ts";
import { ended, runProgram } from "./run-program.ts";
import type { ServerAccount } from "./server-account.ts";

/** The database's superuser; its password is generated for each data directory. */
export const DATABASE_USER = "coregit";

export type ClusterOptions = {
  readonly clusterDir: string;
  readonly password: string;
  readonly initdb: string;
  readonly serverAccount: ServerAccount;
  readonly log: FileHandle;
  /** false: skips what survives a power cut; for tests only. */
  readonly durable: boolean;
  readonly signal: AbortSignal;
};

const UNFINISHED_SUFFIX = ".new-";

/** True when the database's folder is there, made by the server's major version `major`. @throws CoregitError when by another. */
export async function clusterExists(clusterDir: string, major: string): Promise<boolean> {
  const found = await readFile(join(clusterDir, "PG_VERSION"), "utf8").catch((error) => {
    if (error.code === "ENOENT") return null;
    throw new CoregitError("DatabaseUnavailable", `The folder ${clusterDir} of the embedded database cannot be read.`, {
      cause: error,
    });
  });
  if (found === null || found.trim() === major) return found !== null;
  const sentence = `The embedded database in ${clusterDir} was made by PostgreSQL ${found.trim()}, and this program brings ${major}.`;
  throw new CoregitError("DatabaseUnsupported", sentence);
}

/** `18` for a server 18.4. */
export async function majorVersion(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, ["--version"], { timeout: 10_000 });
  const major = / (\d+)/.exec(stdout)?.[1];
  if (major === undefined)
    throw new CoregitError("DatabaseUnavailable", `The database program ${program} does not tell its version.`);
  return major;
}

/** Runs initdb beside `clusterDir` and renames the result. The caller holds the data directory's lock. */
export async function createCluster(options: ClusterOptions, major: string): Promise<void> {
  const { clusterDir, serverAccount } = options;
  await removeUnfinished(clusterDir);
  const workDir = await mkdtemp(`${clusterDir}${UNFINISHED_SUFFIX}`);
  try {
    const passwordFile = join(workDir, "password");
    await writeFile(passwordFile, options.password, { mode: 0o600 });
    for (const path of serverAccount.account === null ? [] : [workDir, passwordFile]) {
      await chown(path, serverAccount.account?.uid ?? 0, serverAccount.account?.gid ?? 0);
    }
    await initialise(options, { made: join(workDir, "data"), passwordFile, major });
    await rename(join(workDir, "data"), clusterDir);
    if (options.durable) await syncFolder(dirname(clusterDir));
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

async function initialise(
  { clusterDir, initdb, serverAccount, log, durable, signal }: ClusterOptions,
  { made, passwordFile, major }: { made: string; passwordFile: string; major: string },
): Promise<void> {
  // The server's own C.UTF-8 does not depend on what the machine has; it came with PostgreSQL 17.
  const locale = Number(major) >= 17 ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] : [];
  const child = runProgram(
    serverAccount,
    [
      initdb,
      `--pgdata=${made}`,
      `--username=${DATABASE_USER}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      ...locale,
      ...(durable ? [] : ["--no-sync"]),
    ],
    log.fd,
  );
  const stop = () => child.kill("SIGINT");
  signal.addEventListener("abort", stop, { once: true });
  const { code, error } = await ended(child);
  signal.removeEventListener("abort", stop);
  signal.throwIfAborted();
  if (code === 0) return;
  throw new CoregitError(
    "DatabaseUnavailable",
    `The embedded database could not be initialised; ${clusterDir}.log has the reason.`,
    { cause: error },
  );
}

async function removeUnfinished(clusterDir: string): Promise<void> {
  const names = await readdir(dirname(clusterDir));
  const paths = names.map((name) => join(dirname(clusterDir), name));
  const unfinished = paths.filter((path) => path.startsWith(`${clusterDir}${UNFINISHED_SUFFIX}`));
  // The initdb of a killed program may still be writing; without its folder it fails and ends.
  for (const path of unfinished) await rm(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync();
}
