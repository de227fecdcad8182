// A PostgreSQL server of the tests' own in a temporary folder, gone with everything in it when disposed.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "../../src/standalone/embedded-postgres.ts";
import { silentLogger } from "./silent-logger.ts";
import { findSystemPostgres } from "./system-postgres.ts";

export interface TemporaryPostgres extends AsyncDisposable {
  /** Of the superuser and its database `postgres`. */
  readonly url: string;
}

/** Starts the machine's own server where there is one, else the one that Coregit brings. */
export async function startTemporaryPostgres(): Promise<TemporaryPostgres> {
  const binDir = await findSystemPostgres();
  await using stack = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "coregit-test-postgres-"));
  stack.defer(() => rm(dataDir, { recursive: true, force: true }));
  const signal = AbortSignal.timeout(60_000);
  const server = await startEmbeddedPostgres({
    dataDir,
    logger: silentLogger,
    signal,
    durable: false,
    ...(binDir === undefined ? {} : { binDir }),
  });
  stack.use(server);
  const owned = stack.move();
  return { url: server.url, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
