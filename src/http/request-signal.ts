// One AbortSignal a request, so that work for a client that went away stops, and a closing server does not wait for
// streams that never end.
import type { FastifyInstance, FastifyReply } from "fastify";
import type { SignalOf } from "./register-routes.ts";

/** Aborts when the connection ends before the answer is complete, or when `app` closes. */
export function createRequestSignals(app: FastifyInstance): SignalOf {
  const closing = new AbortController();
  app.addHook("preClose", async () => closing.abort());
  return (reply: FastifyReply): AbortSignal => {
    const gone = new AbortController();
    reply.raw.once("close", () => {
      if (!reply.raw.writableFinished) gone.abort();
    });
    return AbortSignal.any([gone.signal, closing.signal]);
  };
}
