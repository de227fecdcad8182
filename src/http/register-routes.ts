// Gives the routes to Fastify: access before the body is read, validation before the answer, JSON or a stream after it, and
// a refusal of every other method at the same address.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { CoregitError } from "../domain/errors.ts";
import { principalOf } from "./admission.ts";
import type { Answer, BytesAnswer } from "./answers/answer-of.ts";
import type { Guard } from "./guard.ts";
import { problemOf } from "./problem.ts";
import { pathsOf, type Route } from "./route.ts";
import { paramsOf, patternOf } from "./route-address.ts";
import { sendStream, sendText } from "./send-stream.ts";
import { validate } from "./validate.ts";

/** The signal of one request: aborts when the client goes away before the answer is complete, or the server closes. */
export type SignalOf = (reply: FastifyReply) => AbortSignal;

const NO_BODY = z.strictObject({});

export type RouteDoors = { readonly guard: Guard; readonly signalOf: SignalOf };

export function registerRoutes(app: FastifyInstance, routes: readonly Route[], { guard, signalOf }: RouteDoors): void {
  const taken = new Map<string, Set<string>>();
  for (const route of routes) {
    const methods = route.answersHead ? [route.method, "HEAD"] : [route.method];
    for (const url of pathsOf(route).map(patternOf)) {
      app.route({
        method: methods,
        url,
        exposeHeadRoute: false,
        ...(route.maxBodyBytes === null ? {} : { bodyLimit: route.maxBodyBytes }),
        onRequest: (request) => guard(route, request),
        handler: createHandler(route, signalOf),
      });
      taken.set(url, new Set([...(taken.get(url) ?? []), ...methods]));
    }
  }
  for (const [url, methods] of taken) refuseOtherMethods(app, url, methods);
}

/** Answers 405 with `Allow` at `url` for every method that is not in `methods`, before a body is read. */
export function refuseOtherMethods(app: FastifyInstance, url: string, methods: ReadonlySet<string>): void {
  const refuse = async (request: FastifyRequest, reply: FastifyReply): Promise<never> => {
    reply.header("allow", [...methods].join(", "));
    throw new CoregitError("MethodNotAllowed", `This address does not take ${request.method}.`);
  };
  const others = app.supportedMethods.filter((method) => !methods.has(method));
  app.route({ method: others, url, onRequest: refuse, handler: refuse });
}

function createHandler(route: Route, signalOf: SignalOf) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const answer = await route.answer({
      params: validate(route.params, paramsOf(route, request), "address"),
      query: validate(route.query, request.query, "query"),
      body: validate(route.body ?? NO_BODY, request.body, "body"),
      headers: request.headers,
      principal: principalOf(request),
      signal: signalOf(reply),
    });
    return send(reply, answer);
  };
}

function send(reply: FastifyReply, answer: Answer): FastifyReply | Promise<FastifyReply> {
  if ("body" in answer)
    return reply
      .code(answer.status)
      .headers(answer.headers ?? {})
      .send(answer.body);
  if ("bytes" in answer) return sendBytes(reply, answer);
  if ("refusal" in answer) {
    const { status, body } = problemOf(answer.refusal);
    return reply.code(status).headers(answer.headers).send(body);
  }
  return sendText(reply.type(answer.contentType), answer.stream);
}

function sendBytes(reply: FastifyReply, { status, headers, bytes }: BytesAnswer): FastifyReply | Promise<FastifyReply> {
  if (bytes === null || reply.request.method === "HEAD") return reply.code(status).headers(headers).send();
  if (bytes instanceof Uint8Array) return reply.code(status).headers(headers).send(bytes);
  return sendStream(reply, { status, headers, source: bytes });
}
