// The metrics at an address of their own, so that whoever can reach the API does not read them.
import { type FastifyInstance, fastify } from "fastify";
import type { MetricsPage } from "../telemetry/metrics.ts";
import { refuseConnection } from "./client-error.ts";
import { HTTP_LIMITS } from "./limits.ts";
import { registerMetricsRoute } from "./routes/health.ts";

/** The app, not yet listening: `/metrics` and nothing else. */
export function createMetricsServer(page: MetricsPage): FastifyInstance {
  const { headersTimeoutMs: headersTimeout, timeoutCheckMs: connectionsCheckingInterval, requestTimeoutMs } = HTTP_LIMITS;
  const app = fastify({
    logger: false,
    bodyLimit: 1,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: true,
    http: { headersTimeout, connectionsCheckingInterval },
    clientErrorHandler: refuseConnection,
  });
  registerMetricsRoute(app, page);
  return app;
}
