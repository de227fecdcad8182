// The HTTP server on all that it needs, listening on loopback, with a source repository to import from. Disposal checks that
// every answer was as documented.
import type { FastifyInstance } from "fastify";
import { expect } from "vitest";
import type { SealingKeys } from "../../src/db/credential-seal.ts";
import { CHANNELS } from "../../src/db/database.ts";
import { openPostgres } from "../../src/db/postgres.ts";
import { type Clock, systemClock } from "../../src/domain/clock.ts";
import type { Logger } from "../../src/domain/log.ts";
import type { ProgressBoard } from "../../src/domain/progress.ts";
import { noTracer, type Tracer } from "../../src/domain/tracer.ts";
import { HTTP_LIMITS, type HttpLimits } from "../../src/http/limits.ts";
import type { DependencyCheck } from "../../src/http/ports.ts";
import { createHttpServer } from "../../src/http/server.ts";
import { openTokens } from "../../src/http/tokens.ts";
import { openGitExchange } from "../../src/repositories/open-git-exchange.ts";
import type { StoreLimits } from "../../src/repositories/store-options.ts";
import { createCatalog } from "../../src/sync/catalog.ts";
import { openConnectionChanges } from "../../src/sync/connection-changes.ts";
import { openHistory } from "../../src/sync/history.ts";
import { openManualWebhooks } from "../../src/sync/manual-webhooks.ts";
import { openDeclarations } from "../../src/sync/open-declarations.ts";
import { openRepositoryChanges } from "../../src/sync/repository-changes.ts";
import { openSyncConfigs } from "../../src/sync/sync-configs.ts";
import { openTriggers } from "../../src/sync/triggers.ts";
import { openWebhookIntake } from "../../src/sync/webhook-intake.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { observeAnswers } from "./documented-answers.ts";
import { openTestStore } from "./git-store.ts";
import { TEST_KEYS } from "./quiet-spec.ts";
import { knowSecret } from "./secrets/evidence.ts";
import { silentLogger } from "./silent-logger.ts";
import { openSyncWorld, type SyncWorld } from "./sync-world.ts";

export const MASTER_KEY = "cgk_live_0123456789abcdefghij";

export type HttpAnswer = { readonly status: number; readonly headers: Headers; readonly body: Record<string, unknown> };

type AskOptions = { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: unknown };

/** One server that listens on loopback. */
export interface HttpServer extends AsyncDisposable {
  readonly app: FastifyInstance;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** Asks with the master key, unless `init` has headers of its own; `body` is sent as JSON. */
  ask(path: string, init?: AskOptions): Promise<HttpAnswer>;
}

export interface HttpWorld extends HttpServer {
  readonly world: SyncWorld;
  /** Where native git clones `default/<name>`, with the key in it. */
  gitUrl(name?: string): string;
  /** Another server on the same database, or on the one at `url`, with connections and a cache of its own. */
  replica(url?: string, changes?: HttpWorldOptions): Promise<HttpServer>;
  /** What `/readyz` is told. */
  dependencies: DependencyCheck[];
}

export type HttpWorldOptions = {
  readonly logger?: Logger;
  readonly limits?: HttpLimits;
  readonly clock?: Clock;
  readonly tokenRateLimit?: number;
  readonly progress?: ProgressBoard;
  /** Seal and open credentials. Default: the tests' own. */
  readonly keys?: SealingKeys;
  readonly storeLimits?: Partial<StoreLimits>;
  readonly tracer?: Tracer;
};

export async function openHttpWorld(options: HttpWorldOptions = {}): Promise<HttpWorld> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await openSyncWorld(systemClock, undefined, options.storeLimits, options.tracer));
  const dependencies: DependencyCheck[] = [{ name: "database", reason: null }];
  const server = stack.use(await serve(world, dependencies, options));
  const owned = stack.move();
  return {
    ...server,
    world,
    dependencies,
    gitUrl: (name = "copy") => `${server.url.replace("://", `://any:${MASTER_KEY}@`)}/${name}.git`,
    async replica(url = world.url, changes = {}) {
      const database = owned.use(openPostgres({ url, logger: silentLogger }));
      const { store } = owned.use(await openTestStore(database));
      const declarations = openDeclarations({ database, store, keys: TEST_KEYS });
      const { remotes } = world;
      const ports = { database, store, declarations, remotes, triggers: openTriggers(database), history: openHistory(database) };
      return owned.use(await serve(ports, dependencies, { ...options, ...changes }));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function serve(
  ports: Pick<SyncWorld, "database" | "store" | "declarations" | "triggers" | "history" | "remotes">,
  dependencies: DependencyCheck[],
  options: HttpWorldOptions,
): Promise<HttpServer> {
  const { database, store } = ports;
  const { tracer = noTracer } = options;
  const clock = options.clock ?? systemClock;
  const metrics = createMetrics("test");
  const app = createHttpServer({
    ...ports,
    catalog: createCatalog(database),
    changes: {
      subscribe: ({ onChange, onGap }) => database.listen(CHANNELS.syncChanged, { onMessage: onChange, onGap }),
    },
    ...openGitExchange(store),
    readiness: { check: async () => dependencies },
    metricsPage: metrics.page,
    httpMetrics: metrics.http,
    masterKey: MASTER_KEY,
    tokenRateLimit: 1_000_000,
    repositories: openRepositoryChanges({ database, store, clock }),
    connections: openConnectionChanges({ database, keys: options.keys ?? TEST_KEYS, accounts: ports.remotes }),
    syncConfigs: openSyncConfigs(database, { tracer }),
    webhooks: openWebhookIntake({ database, keys: options.keys ?? TEST_KEYS, clock, tracer }),
    manualWebhooks: openManualWebhooks({ database, keys: options.keys ?? TEST_KEYS }),
    tokens: openTokens(database, clock),
    logger: silentLogger,
    clock,
    limits: { ...HTTP_LIMITS, closeLingerMs: 0 },
    ...options,
  });
  knowSecret("the master key", MASTER_KEY);
  const drifts: string[] = [];
  observeAnswers(app, drifts);
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  return {
    app,
    url,
    async ask(path, { method = "GET", headers = { "x-api-key": MASTER_KEY }, body } = {}) {
      const json = body === undefined ? {} : { body: JSON.stringify(body) };
      const type = body === undefined ? {} : { "content-type": "application/json" };
      const response = await fetch(`${url}${path}`, { method, headers: { ...type, ...headers }, ...json });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text.startsWith("{") ? JSON.parse(text) : { text } };
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      expect(drifts, "answers that are not documented").toEqual([]);
    },
  };
}
