// Holds every answer of a server against what its route documents: status, code, content type and, strictly, each field.
// What the API's document leaves open for later versions is a drift here.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { apiCode } from "../../src/domain/errors.ts";
import type { DocumentedAnswer } from "../../src/http/answers/answer-of.ts";
import { problemAnswer } from "../../src/http/answers/problem.ts";
import { problemsOf } from "../../src/http/openapi/route-problems.ts";
import { pathsOf, type Route } from "../../src/http/route.ts";
import { patternOf } from "../../src/http/route-address.ts";
import { type ApiPorts, apiRoutes } from "../../src/http/routes.ts";
import { knowSecretsIn } from "./secrets/declared-secrets.ts";
import { keepSaid } from "./secrets/evidence.ts";

/** Routes are data: nothing of the ports is touched before one answers. */
export const API_ROUTES = apiRoutes({} as ApiPorts);

/** Routes whose answers show a secret, which is what they are for. */
const SHOW_SECRETS = new Set(["createToken", "getSyncWebhook", "rotateSyncWebhook"]);

/** Fills `drifts` with sentences on answers that are not documented, and keeps all for the scan for secrets. Call it before `app` listens. */
export function observeAnswers(app: FastifyInstance, drifts: string[]): void {
  const routes = new Map(API_ROUTES.flatMap((route) => keysOf(route).map((key) => [key, route] as const)));
  app.addHook("preHandler", async ({ body }) => knowSecretsIn("a request", body));
  app.addHook("onSend", async (request, reply, payload) => {
    const route = routes.get(`${request.method} ${request.routeOptions.url}`);
    keepAnswer(route?.name ?? "no route", { request, reply, payload });
    const drift = route === undefined ? null : driftOf(route, { request, reply, payload });
    if (drift !== null) drifts.push(`${route?.name} (${request.method} ${request.url.slice(0, 200)}): ${drift}`);
    return payload;
  });
}

function keysOf(route: Route): readonly string[] {
  const methods = route.answersHead ? [route.method, "HEAD"] : [route.method];
  return pathsOf(route).flatMap((path) => methods.map((method) => `${method} /v1${patternOf(path)}`));
}

type Sent = { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly payload: unknown };

function keepAnswer(name: string, { reply, payload }: Sent): void {
  const text = typeof payload === "string" ? payload : "";
  if (SHOW_SECRETS.has(name) && reply.statusCode < 300) knowSecretsIn(`an answer of ${name}`, JSON.parse(text));
  else keepSaid(`an answer of ${name}`, `${JSON.stringify(reply.getHeaders())}\n${text}`);
}

function driftOf(route: Route, { reply, payload }: Sent): string | null {
  const status = reply.statusCode;
  const type = String(reply.getHeader("content-type") ?? "");
  const answer = route.answers[status];
  if (answer !== undefined) return answerDrift(answer, type, payload);
  const codes = problemsOf(route).find(([documented]) => documented === status)?.[1];
  if (codes === undefined) return `answers ${status}: ${String(payload).slice(0, 300)}`;
  return problemDrift(codes.map(apiCode), status, JSON.parse(String(payload)));
}

function answerDrift(answer: DocumentedAnswer, type: string, payload: unknown): string | null {
  const { json, bytes = [], stream } = answer instanceof z.ZodType ? { json: answer } : answer;
  if (!type.startsWith("application/json")) {
    const isDocumented = [...bytes, stream, ""].includes(type);
    return isDocumented ? null : `answers with the content type ${type}`;
  }
  if (json === undefined) return "answers JSON";
  if (payload === null || payload === "") return null;
  const { error } = json.safeParse(JSON.parse(String(payload)));
  return error === undefined ? null : `answers other fields: ${z.prettifyError(error)}`;
}

function problemDrift(codes: readonly string[], status: number, body: unknown): string | null {
  const { error, data } = problemAnswer.safeParse(body);
  // A failure may say of itself what helps to find its cause.
  if (error !== undefined && status < 500) return `refuses with other fields: ${z.prettifyError(error)}`;
  const { code } = data ?? (body as { readonly code: string });
  return codes.includes(code) ? null : `answers ${status} with the code ${code}`;
}
