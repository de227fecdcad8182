// The production engine on a real, durable PostgreSQL and a blob folder, as standalone has it, in a temporary folder.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBlobStore } from "../src/blobs/open-blob-store.ts";
import type { Database } from "../src/db/database.ts";
import { migrate } from "../src/db/migrate.ts";
import { connectPostgres } from "../src/db/postgres.ts";
import { systemClock } from "../src/domain/clock.ts";
import type { Logger } from "../src/domain/log.ts";
import { openRemotes } from "../src/remotes/open-remotes.ts";
import { openRepositoryStore } from "../src/repositories/open-repository-store.ts";
import type { RepositoryStore } from "../src/repositories/store.ts";
import { storeLimits } from "../src/repositories/store-options.ts";
import { startEmbeddedPostgres } from "../src/standalone/embedded-postgres.ts";
import type { Declarations } from "../src/sync/declarations.ts";
import { openEngine } from "../src/sync/engine.ts";
import { type EngineMetrics, noEngineMetrics } from "../src/sync/engine-metrics.ts";
import { openDeclarations } from "../src/sync/open-declarations.ts";
import { openTriggers, type Triggers } from "../src/sync/triggers.ts";
import { createLogger } from "../src/telemetry/log.ts";

/** For connections, whose credentials rest sealed. */
const KEYS = [new Uint8Array(32).fill(7)];

export type EngineStack = AsyncDisposable & {
  readonly database: Database;
  readonly store: RepositoryStore;
  readonly declarations: Declarations;
  readonly triggers: Triggers;
  /** Where views and quarantines are. */
  readonly cacheDir: string;
  /** Resolves with the milliseconds of the next run that ends, from its claim on. */
  nextRun(): Promise<number>;
};

export type DatabaseStack = AsyncDisposable & {
  readonly database: Database;
  readonly url: string;
  readonly dataDir: string;
  readonly logger: Logger;
};

/** A durable, migrated database of its own. */
export async function openDatabaseStack(): Promise<DatabaseStack> {
  await using stack = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "coregit-bench-"));
  stack.defer(() => rm(dataDir, { recursive: true, force: true }));
  const logger = createLogger({ level: "error", format: "json", destination: process.stderr });
  const { url } = stack.use(await startEmbeddedPostgres({ dataDir, logger, signal: AbortSignal.timeout(60_000) }));
  await migrate({ url, logger });
  const database = stack.use(await connectPostgres({ url, logger }));
  const owned = stack.move();
  return { database, url, dataDir, logger, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

export async function openEngineStack(): Promise<EngineStack> {
  await using stack = new AsyncDisposableStack();
  const { database, dataDir, logger } = stack.use(await openDatabaseStack());
  const blobs = stack.use(await openBlobStore({ kind: "file", directory: join(dataDir, "packs") }, database));
  const cacheDir = join(dataDir, "cache");
  const limits = storeLimits(2 ** 31);
  const clock = systemClock;
  const store = stack.use(
    await openRepositoryStore({ database, blobs, cacheDir, cacheMaxBytes: 2 ** 33, limits, logger, clock }),
  );
  const remotes = stack.use(
    openRemotes({
      allowedHosts: ["127.0.0.1"],
      fileRemotes: [],
      runLocalUploadPack: null,
      userAgent: "coregit-bench",
      clock,
      logger,
    }),
  );
  const shared = { database, store, remotes, keys: KEYS, jitter: 0, clock, random: Math.random, logger };
  let ended = Promise.withResolvers<number>();
  const metrics: EngineMetrics = {
    ...noEngineMetrics,
    runEnded({ durationMs }) {
      ended.resolve(durationMs);
      ended = Promise.withResolvers();
    },
  };
  const engine = stack.use(openEngine({ ...shared, workers: 2, instanceId: "bench", isOnlyWorker: true, metrics }));
  await engine.start();
  const owned = stack.move();
  return {
    database,
    store,
    declarations: openDeclarations({ database, store, keys: KEYS }),
    triggers: openTriggers(database),
    cacheDir,
    nextRun: () => ended.promise,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
