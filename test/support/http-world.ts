// The HTTP server on all that it needs, listening on loopback, with a source repository to import from.
import type { FastifyInstance } from "fastify";
import { CHANNELS } from "../../src/db/database.ts";
import { type Clock, systemClock } from "../../src/domain/clock.ts";
import type { Logger } from "../../src/domain/log.ts";
import type { HttpLimits } from "../../src/http/limits.ts";
import type { DependencyCheck } from "../../src/http/ports.ts";
import { createHttpServer } from "../../src/http/server.ts";
import { openTokens } from "../../src/http/tokens.ts";
import { openUploadPack } from "../../src/repositories/open-upload-pack.ts";
import { createCatalog } from "../../src/sync/catalog.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { silentLogger } from "./silent-logger.ts";
import { openSyncWorld, type SyncWorld } from "./sync-world.ts";

export const MASTER_KEY = "cgk_live_0123456789abcdefghij";

export type HttpAnswer = { readonly status: number; readonly headers: Headers; readonly body: Record<string, unknown> };

export interface HttpWorld extends AsyncDisposable {
  readonly world: SyncWorld;
  readonly app: FastifyInstance;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** Where native git clones `default/<name>`, with the key in it. */
  gitUrl(name?: string): string;
  /** Asks with the master key, unless `init` has headers of its own; `body` is sent as JSON. */
  ask(
    path: string,
    init?: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: unknown },
  ): Promise<HttpAnswer>;
  /** What `/readyz` is told. */
  dependencies: DependencyCheck[];
}

export async function openHttpWorld(
  options: {
    readonly logger?: Logger;
    readonly limits?: HttpLimits;
    readonly clock?: Clock;
    readonly tokenRateLimit?: number;
  } = {},
): Promise<HttpWorld> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await openSyncWorld());
  const metrics = createMetrics("test");
  const dependencies: DependencyCheck[] = [{ name: "database", reason: null }];
  const app = createHttpServer({
    store: world.store,
    declarations: world.declarations,
    triggers: world.triggers,
    history: world.history,
    catalog: createCatalog(world.database),
    changes: {
      subscribe: ({ onChange, onGap }) => world.database.listen(CHANNELS.syncChanged, { onMessage: onChange, onGap }),
    },
    uploadPack: openUploadPack(world.store),
    readiness: { check: async () => dependencies },
    metricsPage: metrics.page,
    httpMetrics: metrics.http,
    masterKey: MASTER_KEY,
    tokenRateLimit: 1_000_000,
    tokens: openTokens(world.database, options.clock ?? systemClock),
    logger: silentLogger,
    clock: systemClock,
    ...options,
  });
  stack.defer(() => app.close());
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const owned = stack.move();
  return {
    world,
    app,
    url,
    dependencies,
    gitUrl: (name = "copy") => `${url.replace("://", `://any:${MASTER_KEY}@`)}/${name}.git`,
    async ask(path, { method = "GET", headers = { "x-api-key": MASTER_KEY }, body } = {}) {
      const json = body === undefined ? {} : { body: JSON.stringify(body) };
      const type = body === undefined ? {} : { "content-type": "application/json" };
      const response = await fetch(`${url}${path}`, { method, headers: { ...type, ...headers }, ...json });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text.startsWith("{") ? JSON.parse(text) : { text } };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
