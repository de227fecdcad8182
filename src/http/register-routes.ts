// Gives the routes to Fastify: validation before the answer, JSON or a stream after it, and a refusal of every other
// method at the same address.
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { CoregitError } from "../domain/errors.ts";
import { type Answer, pathsOf, type Route } from "./route.ts";
import { validate } from "./validate.ts";

/** The signal of one request: aborts when the client goes away before the answer is complete, or the server closes. */
export type SignalOf = (reply: FastifyReply) => AbortSignal;

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

export function registerRoutes(app: FastifyInstance, routes: readonly Route[], signalOf: SignalOf): void {
  const taken = new Map<string, Set<string>>();
  for (const route of routes) {
    for (const url of pathsOf(route)) {
      app.route({ method: route.method, url, exposeHeadRoute: false, handler: createHandler(route, signalOf) });
      taken.set(url, (taken.get(url) ?? new Set()).add(route.method));
    }
  }
  for (const [url, methods] of taken) refuseOtherMethods(app, url, methods);
}

/** Answers 405 with `Allow` at `url` for every method that is not in `methods`. */
export function refuseOtherMethods(app: FastifyInstance, url: string, methods: ReadonlySet<string>): void {
  app.route({
    method: METHODS.filter((method) => !methods.has(method)),
    url,
    handler(request, reply) {
      reply.header("allow", [...methods].join(", "));
      throw new CoregitError("MethodNotAllowed", `This address does not take ${request.method}.`);
    },
  });
}

function createHandler(route: Route, signalOf: SignalOf) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const answer = await route.answer({
      params: validate(route.params, request.params, "address"),
      query: validate(route.query, request.query, "query"),
      body: validate(route.body, request.body, "body"),
      signal: signalOf(reply),
    });
    return send(reply, answer);
  };
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  if ("body" in answer) return reply.code(answer.status).send(answer.body);
  return reply.type(answer.contentType).send(Readable.from(answer.stream, { objectMode: false }));
}
