// The composition root: joins adapters and ports into the roles. The only file that knows all folders. What is opened here
// is released in reverse order, however the role ends.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import type { BlobStore } from "./blobs/blob-store.ts";
import { openBlobStore } from "./blobs/open-blob-store.ts";
import type { RoleStarters } from "./cli/ports.ts";
import type { Config, ListenAddress } from "./config/config.ts";
import { loadStandaloneSecrets } from "./config/secrets.ts";
import { CHANNELS, type Database } from "./db/database.ts";
import { migrate, waitForSchema } from "./db/migrate.ts";
import { connectPostgres, openPostgres } from "./db/postgres.ts";
import { systemClock } from "./domain/clock.ts";
import { CoregitError } from "./domain/errors.ts";
import type { Logger } from "./domain/log.ts";
import { ProgressBoard } from "./domain/progress.ts";
import type { Tracer } from "./domain/tracer.ts";
import { runLocalReceivePack } from "./git/local-receive-pack.ts";
import { runLocalUploadPack } from "./git/local-upload-pack.ts";
import { listen } from "./http/listen.ts";
import { createMetricsServer } from "./http/metrics-server.ts";
import type { DependencyCheck, Readiness } from "./http/ports.ts";
import { createReadiness } from "./http/readiness.ts";
import { createHttpServer } from "./http/server.ts";
import { openTokens } from "./http/tokens.ts";
import { type OpenedRemotes, openRemotes } from "./remotes/open-remotes.ts";
import { openGitExchange } from "./repositories/open-git-exchange.ts";
import { type LocalRepositoryStore, openRepositoryStore } from "./repositories/open-repository-store.ts";
import { storeLimits } from "./repositories/store-options.ts";
import { openStoreUpkeep } from "./repositories/upkeep/open-store-upkeep.ts";
import { lockDataDir } from "./standalone/data-dir-lock.ts";
import { startEmbeddedPostgres } from "./standalone/embedded-postgres.ts";
import { showFirstRuns } from "./standalone/first-runs.ts";
import type { ProgressOutput } from "./standalone/progress.ts";
import { openStandalone } from "./standalone/standalone.ts";
import { openAccountChecks } from "./sync/account-checks.ts";
import { createCatalog } from "./sync/catalog.ts";
import { openConnectionChanges } from "./sync/connection-changes.ts";
import type { Declarations } from "./sync/declarations.ts";
import { type Engine, openEngine } from "./sync/engine.ts";
import { openHistory } from "./sync/history.ts";
import { openManualWebhooks } from "./sync/manual-webhooks.ts";
import { openDeclarations } from "./sync/open-declarations.ts";
import { openRepositoryChanges } from "./sync/repository-changes.ts";
import { openResealSweep } from "./sync/reseal-sweep.ts";
import { openSyncConfigs } from "./sync/sync-configs.ts";
import { openTriggers } from "./sync/triggers.ts";
import { openWebhookIntake } from "./sync/webhook-intake.ts";
import { openWebhookRegistrar } from "./sync/webhook-registrar.ts";
import { createLogger, type LogOptions } from "./telemetry/log.ts";
import { createMetrics, type Metrics } from "./telemetry/metrics.ts";
import { openTelemetry, type Telemetry } from "./telemetry/open-telemetry.ts";

type Terminal = { readonly output: ProgressOutput; readonly log: NodeJS.WritableStream };

export type AppOptions = { readonly version: string; readonly terminal: Terminal };

export function createRoles(options: AppOptions): RoleStarters {
  return {
    standalone: ({ config, manifests, signal }) => runStandalone(options, { config, manifests, signal }),
    operator: ({ config, namespaces, signal }) => runOperator(options, { config, namespaces, signal }),
    api: ({ config, signal }) => runApi(options, { config, signal }),
    async migrate({ config }) {
      return await migrate({ url: databaseUrlOf(config), logger: createLogger(logOf(config, options)) });
    },
  };
}

/** What every role has: logger, metrics, store, and the ports on rows. */
type Core = {
  readonly config: Config;
  readonly logger: Logger;
  readonly tracer: Tracer;
  readonly metrics: Metrics;
  readonly progress: ProgressBoard;
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly store: LocalRepositoryStore;
  readonly declarations: Declarations;
  readonly remotes: OpenedRemotes;
  readonly instanceId: string;
};

async function openCore(
  stack: AsyncDisposableStack,
  app: AppOptions,
  parts: Pick<Core, "config" | "logger" | "tracer" | "database">,
): Promise<Core> {
  const { config, logger, tracer, database } = parts;
  const blobs = stack.use(await openBlobStore(config.blobStore, database));
  const metrics = createMetrics(app.version);
  const shared = { database, blobs, cacheDir: join(config.dataDir, "cache"), logger, tracer, clock: systemClock };
  const { cacheMaxBytes, packRetentionMs } = config;
  const limits = storeLimits(config.maxPackBytes);
  const store = stack.use(await openRepositoryStore({ ...shared, cacheMaxBytes, limits, metrics: metrics.cache }));
  const declarations = openDeclarations({ database, store, keys: config.encryptionKeys, tracer });
  const instanceId = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  stack.use(openStoreUpkeep({ ...shared, store, packRetentionMs, random: Math.random, metrics: metrics.upkeep }));
  const progress = new ProgressBoard(systemClock);
  const { allowedHosts, fileRemotes } = config;
  const userAgent = `coregit/${app.version}`;
  const local = { fileRemotes, runLocalUploadPack, runLocalReceivePack };
  const remotes = stack.use(
    openRemotes({ ...local, allowedHosts, userAgent, clock: systemClock, logger, tracer, metrics: metrics.providers }),
  );
  return { ...parts, metrics, progress, blobs, store, declarations, remotes, instanceId };
}

function openWorkers(stack: AsyncDisposableStack, core: Core, isOnlyWorker: boolean): Engine {
  const { config, database, store, remotes, logger, tracer } = core;
  const engine = openEngine({
    database,
    store,
    remotes,
    keys: config.encryptionKeys,
    jitter: config.resyncJitter,
    clock: systemClock,
    random: Math.random,
    logger,
    tracer,
    workers: config.workers,
    instanceId: core.instanceId,
    isOnlyWorker,
    metrics: core.metrics.engine,
    progress: core.progress,
  });
  return stack.use(engine);
}

async function startWork(stack: AsyncDisposableStack, core: Core, engine: Engine): Promise<void> {
  const { config, database, remotes: accounts, logger } = core;
  const { encryptionKeys: keys, publicUrl } = config;
  await engine.start();
  const shared = { database, keys, clock: systemClock, random: Math.random, logger };
  stack.use(await openWebhookRegistrar({ ...shared, webhooks: core.remotes, publicUrl }));
  stack.use(await openAccountChecks({ database, keys: config.encryptionKeys, accounts, logger }));
  stack.use(openResealSweep({ database, keys: config.encryptionKeys, logger }));
}

/** Begins to listen and answers where. `masterKey` null: health and metrics only, the operator's case without a key. */
async function serveHttp(stack: AsyncDisposableStack, core: Core, readiness: Readiness): Promise<string> {
  const { config, database, store, declarations, metrics, logger, tracer } = core;
  const app = createHttpServer({
    store,
    declarations,
    triggers: openTriggers(database, tracer),
    history: openHistory(database),
    catalog: createCatalog(database),
    changes: {
      subscribe: ({ onChange, onGap }) => database.listen(CHANNELS.syncChanged, { onMessage: onChange, onGap }),
    },
    ...openGitExchange(store),
    readiness,
    metricsPage: config.metricsListen === null ? metrics.page : null,
    progress: core.progress,
    httpMetrics: metrics.http,
    masterKey: config.masterKey,
    tokenRateLimit: config.tokenRateLimit,
    tokens: openTokens(database, systemClock),
    repositories: openRepositoryChanges({ database, store, clock: systemClock }),
    connections: openConnectionChanges({ database, keys: config.encryptionKeys, accounts: core.remotes, tracer }),
    syncConfigs: openSyncConfigs(database, { awaitsWebhooks: config.publicUrl !== null, tracer }),
    webhooks: openWebhookIntake({ database, keys: config.encryptionKeys, clock: systemClock, tracer }),
    manualWebhooks: openManualWebhooks({ database, keys: config.encryptionKeys }),
    logger,
    tracer,
    clock: systemClock,
  });
  stack.defer(() => app.close());
  if (config.metricsListen !== null) await serveMetrics(stack, metrics, config.metricsListen);
  return await listen(app, config.listen, "COREGIT_LISTEN");
}

async function serveMetrics(stack: AsyncDisposableStack, { page }: Metrics, at: ListenAddress): Promise<void> {
  const app = createMetricsServer(page);
  stack.defer(() => app.close());
  await listen(app, at, "COREGIT_METRICS_LISTEN");
}

function readinessOf({ database, blobs }: Core, more: () => readonly DependencyCheck[] = () => []): Readiness {
  return createReadiness({ database, checkBlobStore: () => blobs.check(), more });
}

async function runStandalone(
  app: AppOptions,
  {
    config: given,
    manifests,
    signal,
  }: { readonly config: Config; readonly manifests: string | null; readonly signal: AbortSignal },
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { logger, tracer } = stack.use(await telemetryOf(given, app));
  const config = await loadStandaloneSecrets(given);
  let url = config.databaseUrl;
  if (url === null) url = stack.use(await startEmbeddedPostgres({ dataDir: config.dataDir, logger, signal })).url;
  else stack.use(await lockDataDir(config.dataDir));
  await migrate({ url, logger });
  const database = stack.use(await connectPostgres({ url, logger, maxConnections: 10 + config.workers }));
  const core = await openCore(stack, app, { config, logger, tracer, database });
  const engine = openWorkers(stack, core, given.databaseUrl === null);
  const httpUrl = await serveHttp(stack, core, readinessOf(core));
  await startWork(stack, core, engine);
  const catalog = createCatalog(database);
  const { dataDir } = config;
  const { declarations } = core;
  const { output } = app.terminal;
  const standalone = stack.use(
    await openStandalone({ dataDir, manifestsFolder: manifests, url: httpUrl, declarations, catalog, logger }),
  );
  await showFirstRuns({ database, declarations, standalone, output, url: httpUrl, dataDir, signal });
  await aborted(signal);
}

async function runApi(
  app: AppOptions,
  { config, signal }: { readonly config: Config; readonly signal: AbortSignal },
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { logger, tracer } = stack.use(await telemetryOf(config, app));
  const database = stack.use(openPostgres({ url: databaseUrlOf(config), logger }));
  const core = await openCore(stack, app, { config, logger, tracer, database });
  const url = await serveHttp(stack, core, readinessOf(core));
  logger.info({ url }, "Serving the API.");
  await aborted(signal);
}

async function runOperator(
  app: AppOptions,
  {
    config,
    namespaces,
    signal,
  }: { readonly config: Config; readonly namespaces: readonly string[]; readonly signal: AbortSignal },
): Promise<void> {
  // Loaded by this role alone: the Kubernetes client costs seconds to start and half of the memory.
  const { loadKubeConfig } = await import("./kube/kube-config.ts");
  const { openOperator } = await import("./operator/operator.ts");
  await using stack = new AsyncDisposableStack();
  const { logger, tracer } = stack.use(await telemetryOf(config, app));
  const database = stack.use(openPostgres({ url: databaseUrlOf(config), logger, maxConnections: 10 + config.workers }));
  const core = await openCore(stack, app, { config, logger, tracer, database });
  const engine = openWorkers(stack, core, false);
  let watching: DependencyCheck = { name: "kubernetes", reason: "the first list is not complete" };
  const url = await serveHttp(
    stack,
    core,
    readinessOf(core, () => [watching]),
  );
  logger.info({ url }, "Serving probes and metrics.");
  if (!(await waitForSchema(database, logger, signal))) return;
  await startWork(stack, core, engine);
  const operator = stack.use(
    openOperator({
      kubeConfig: loadKubeConfig(),
      database,
      declarationsOver: (fenced) =>
        openDeclarations({ database: fenced, store: core.store, keys: config.encryptionKeys, tracer }),
      namespaces,
      publicUrl: config.publicUrl,
      identity: core.instanceId,
      version: app.version,
      clock: systemClock,
      random: Math.random,
      logger,
      tracer,
      metrics: core.metrics.runtime,
      resourceMetrics: config.hasResourceMetrics ? core.metrics.resources : undefined,
      progress: core.progress,
    }),
  );
  void operator.synced.then(() => {
    watching = { name: "kubernetes", reason: null };
  });
  await aborted(signal);
}

function databaseUrlOf(config: Config): string {
  if (config.databaseUrl === null) throw new CoregitError("InvalidSpec", "COREGIT_DATABASE_URL is not set.");
  return config.databaseUrl;
}

function logOf(config: Config, { terminal }: AppOptions): LogOptions {
  return { level: config.logLevel, format: config.logFormat, destination: terminal.log };
}

function telemetryOf(config: Config, app: AppOptions): Promise<Telemetry> {
  return openTelemetry(logOf(config, app), config.tracing);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
