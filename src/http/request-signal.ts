// One AbortSignal a request, so that work for a client that went away stops, and a closing server does not wait for
// streams that never end.
import { setTimeout as delay } from "node:timers/promises";
import type { FastifyInstance, FastifyReply } from "fastify";
import { CoregitError } from "../domain/errors.ts";
import type { SignalOf } from "./register-routes.ts";

/** After this long, a closing server cuts off the answers that are still on their way. */
const CLOSE_GRACE_MS = 10_000;
const LINGER_POLL_MS = 20;

/** Aborts when the connection ends before the answer is complete, or when `app` has been closing for `lingerMs`. */
export function createRequestSignals(app: FastifyInstance, lingerMs: number): SignalOf {
  const closing = new AbortController();
  closeConnections(app, closing, lingerMs);
  return (reply: FastifyReply): AbortSignal => {
    const gone = new AbortController();
    reply.raw.once("close", () => {
      if (!reply.raw.writableFinished) gone.abort(new CoregitError("Interrupted", "The client went away."));
    });
    return AbortSignal.any([gone.signal, closing.signal]);
  };
}

/**
 * A connection kept alive would hold a closing server for as long as its client likes; one that is cut off between two requests may
 * lose the second. So first every answer ends its connection, and what is idle after that is closed.
 */
function closeConnections(app: FastifyInstance, closing: AbortController, lingerMs: number): void {
  let deadline: NodeJS.Timeout | undefined;
  app.addHook("preClose", async () => {
    await connectionsGone(app, lingerMs);
    closing.abort(new CoregitError("Interrupted", "The server is stopping; what was asked for may still happen."));
    deadline = setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS);
  });
  app.addHook("onRequest", async (_request, reply) => {
    reply.raw.once("close", () => {
      // The connection counts as idle once the events of this answer are over.
      if (closing.signal.aborted) setImmediate(() => app.server.closeIdleConnections());
    });
  });
  app.addHook("onClose", async () => clearTimeout(deadline));
}

/** Resolves when no connection is open, or after `withinMs`. */
async function connectionsGone({ server }: FastifyInstance, withinMs: number): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (performance.now() < endMs && (await countConnections(server)) > 0) await delay(LINGER_POLL_MS);
}

function countConnections(server: FastifyInstance["server"]): Promise<number> {
  return new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count))));
}
