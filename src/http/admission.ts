// The door: a key becomes a principal, which is counted against its limit. Says nothing about what the principal may do.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { CoregitError } from "../domain/errors.ts";
import { type Authenticate, apiKeyOf } from "./keys.ts";
import { NOBODY, type Principal } from "./principal.ts";
import type { Quota, RateLimit } from "./rate-limit.ts";

/**
 * The principal of a key, counted. Writes the limit's headers into the answer.
 * @throws CoregitError `Unauthorized`, `RateLimitExceeded`.
 */
export type Admit = (key: string, reply: FastifyReply) => Promise<Principal>;

export function createAdmission(authenticate: Authenticate, rateLimit: RateLimit): Admit {
  return async (key, reply) => {
    const principal = await authenticate(key);
    if (principal.kind === "token") applyQuota(rateLimit.take(principal.id), reply);
    return principal;
  };
}

const PRINCIPAL = "principal";

/** Lets nobody past without a valid key, on every route of `api`. */
export function admitAll(api: FastifyInstance, admit: Admit): void {
  api.decorateRequest(PRINCIPAL, null);
  api.addHook("onRequest", async (request, reply) => {
    const key = apiKeyOf(request.headers);
    if (key === null) throw new CoregitError("Unauthorized", "Send an API key in the x-api-key header.");
    request.setDecorator<Principal>(PRINCIPAL, await admit(key, reply));
  });
}

/** Lets everybody past on every route of `api`, as somebody who has no rights. */
export function admitNobody(api: FastifyInstance): void {
  api.decorateRequest(PRINCIPAL, null);
  api.addHook("onRequest", async (request) => request.setDecorator<Principal>(PRINCIPAL, NOBODY));
}

/** Who makes a request that was let past. */
export function principalOf(request: FastifyRequest): Principal {
  return request.getDecorator<Principal>(PRINCIPAL);
}

function applyQuota(quota: Quota, reply: FastifyReply): void {
  reply.headers({
    "x-ratelimit-limit": quota.limit,
    "x-ratelimit-remaining": quota.remaining,
    "x-ratelimit-reset": quota.resetAt,
  });
  if (!quota.isExceeded) return;
  reply.header("retry-after", quota.retryAfter);
  throw new CoregitError("RateLimitExceeded", `The API key has made ${quota.limit} requests in this minute.`, {
    retryAtMs: quota.resetAt * 1000,
  });
}
