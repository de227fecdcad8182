// One log line and one metric a request, when its connection is done with it. Neither holds the query, headers or bodies:
// that is where secrets travel.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../domain/clock.ts";
import type { Logger } from "../domain/log.ts";
import { noTracer, type Tracer } from "../domain/tracer.ts";
import type { HttpMetrics } from "../telemetry/metrics.ts";
import { pathOf } from "./path-of.ts";
import { problemOf } from "./problem.ts";
import { traceRequests } from "./request-span.ts";

export type Observer = {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly httpMetrics: HttpMetrics;
  /** Default: no traces. */
  readonly tracer?: Tracer;
};

/** The client closed the connection before the answer was complete; nginx's number for it. */
const CLIENT_CLOSED = 499;
/** Probes and scrapes come every few seconds; their lines would bury the others. */
const QUIET_ROUTES = new Set(["/livez", "/readyz", "/metrics"]);

type Seen = { readonly durationMs: number; readonly traceId: string | null };

export function observeRequests(app: FastifyInstance, observer: Observer): void {
  const { clock, tracer = noTracer } = observer;
  traceRequests(app, tracer, (route) => QUIET_ROUTES.has(route));
  app.addHook("onRequest", async (request, reply) => {
    const startedMs = clock.monotonic();
    const traceId = tracer.current()?.traceId ?? null;
    reply.raw.once("close", () => report(request, reply, observer, { durationMs: clock.monotonic() - startedMs, traceId }));
  });
  app.addHook("onError", async (request, _reply, error) => {
    const fields = { requestId: request.id, err: error };
    const { status, body } = problemOf(error);
    if (status === 500 && body.code !== "INTERRUPTED") observer.logger.error(fields, "A request failed for a reason of our own.");
    else observer.logger.debug(fields, "A request was refused.");
  });
}

function report(request: FastifyRequest, reply: FastifyReply, observer: Observer, seen: Seen): void {
  const { durationMs, traceId } = seen;
  const route = request.routeOptions.url ?? "unknown";
  const status = reply.raw.writableFinished ? reply.statusCode : CLIENT_CLOSED;
  observer.httpMetrics.answered({ method: request.method, route, status, durationMs });
  const fields = {
    requestId: request.id,
    method: request.method,
    path: pathOf(request.url),
    status,
    durationMs: Math.round(durationMs),
    ...(traceId === null ? {} : { trace_id: traceId }),
  };
  if (status >= 500) observer.logger.warn(fields, "Request failed.");
  else if (QUIET_ROUTES.has(route)) observer.logger.debug(fields, "Request.");
  else observer.logger.info(fields, "Request.");
}
