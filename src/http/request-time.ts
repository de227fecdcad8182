// How long a client may take to send a whole request. Node's own limit cannot be lifted for one route, and a large push needs
// longer than anything else may.
import type { FastifyInstance } from "fastify";

/** Config of a route that watches over its body itself. */
export const OWN_BODY_TIME = { hasOwnBodyTime: true } as const;

/** Ends the connection of a request that is not complete after `requestTimeoutMs`. */
export function limitRequestTime(app: FastifyInstance, requestTimeoutMs: number): void {
  app.addHook("onRequest", async (request, reply) => {
    const { hasOwnBodyTime = false } = request.routeOptions.config as { readonly hasOwnBodyTime?: boolean };
    if (hasOwnBodyTime || request.raw.complete) return;
    const timer = setTimeout(() => {
      if (!request.raw.complete) request.raw.destroy();
    }, requestTimeoutMs);
    reply.raw.once("close", () => clearTimeout(timer));
  });
}
