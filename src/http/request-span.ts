// A span for each request, from its first hook until its connection is done with it, going on with the caller's trace where it
// names one. Reading a body leaves the async context that hooks began in, so it is entered again before the route answers.
import { AsyncLocalStorage } from "node:async_hooks";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Span, SpanOptions, Tracer } from "../domain/tracer.ts";
import { pathOf } from "./path-of.ts";

type InScope = ReturnType<typeof AsyncLocalStorage.snapshot>;

/** Nothing is added to requests where no traces are recorded. `isQuiet`: routes that nobody follows. */
export function traceRequests(app: FastifyInstance, tracer: Tracer, isQuiet: (route: string) => boolean): void {
  if (!tracer.isOn) return;
  const scopes = new WeakMap<FastifyRequest, InScope>();
  app.addHook("onRequest", (request, reply, done) => {
    const route = request.routeOptions.url ?? "unknown";
    if (isQuiet(route)) return done();
    void tracer.span(`${request.method} ${route}`, optionsOf(request, route), async (span) => {
      scopes.set(request, AsyncLocalStorage.snapshot());
      done();
      await answered(reply, span);
    });
  });
  app.addHook("preValidation", (request, _reply, done) => {
    const inScope = scopes.get(request);
    if (inScope === undefined) done();
    else inScope(done);
  });
}

function optionsOf(request: FastifyRequest, route: string): SpanOptions {
  const { traceparent } = request.headers;
  const attributes = {
    "http.request.method": request.method,
    "http.route": route,
    "url.path": pathOf(request.url),
    "coregit.request_id": request.id,
  };
  return { kind: "server", causes: typeof traceparent === "string" ? [traceparent] : [], attributes };
}

async function answered(reply: FastifyReply, span: Span): Promise<void> {
  await new Promise<void>((resolve) => reply.raw.once("close", () => resolve()));
  span.set({ "http.response.status_code": reply.statusCode });
  if (!reply.raw.writableFinished) span.fail("client closed");
  else if (reply.statusCode >= 500) span.fail(String(reply.statusCode));
}
