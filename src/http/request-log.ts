// One log line and one metric a request, when its connection is done with it. Neither holds the query, headers or bodies:
// that is where secrets travel.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../domain/clock.ts";
import type { Logger } from "../domain/log.ts";
import type { HttpMetrics } from "../telemetry/metrics.ts";
import { problemOf } from "./problem.ts";

type Observer = { readonly logger: Logger; readonly clock: Clock; readonly httpMetrics: HttpMetrics };

/** The client closed the connection before the answer was complete; nginx's number for it. */
const CLIENT_CLOSED = 499;
/** Probes and scrapes come every few seconds; their lines would bury the others. */
const QUIET_ROUTES = new Set(["/livez", "/readyz", "/metrics"]);

export function observeRequests(app: FastifyInstance, observer: Observer): void {
  app.addHook("onRequest", async (request, reply) => {
    const startedMs = observer.clock.monotonic();
    reply.raw.once("close", () => report(request, reply, observer, observer.clock.monotonic() - startedMs));
  });
  app.addHook("onError", async (request, _reply, error) => {
    const fields = { requestId: request.id, err: error };
    const { status, body } = problemOf(error);
    if (status === 500 && body.code !== "INTERRUPTED") observer.logger.error(fields, "A request failed for a reason of our own.");
    else observer.logger.debug(fields, "A request was refused.");
  });
}

function report(request: FastifyRequest, reply: FastifyReply, observer: Observer, durationMs: number): void {
  const route = request.routeOptions.url ?? "unknown";
  const status = reply.raw.writableFinished ? reply.statusCode : CLIENT_CLOSED;
  observer.httpMetrics.answered({ method: request.method, route, status, durationMs });
  const fields = {
    requestId: request.id,
    method: request.method,
    path: pathOf(request.url),
    status,
    durationMs: Math.round(durationMs),
  };
  if (status >= 500) observer.logger.warn(fields, "Request failed.");
  else if (QUIET_ROUTES.has(route)) observer.logger.debug(fields, "Request.");
  else observer.logger.info(fields, "Request.");
}

/** The address without its query. */
export function pathOf(url: string): string {
  return url.split("?", 1)[0] ?? "";
}
