// GitHub's refusals in the vocabulary of failure. Its limits come as 403 or 429 alike: told by headers or, where these are missing,
// by words alone. GraphQL answers 200 and says in `errors` what went wrong.
// Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
import type { CoregitError } from "../../domain/errors.ts";
import { apiFailure } from "../api-failure.ts";
import type { ApiSession } from "../api-session.ts";
import { requestFailure, retryAfterMs } from "../git/errors.ts";

type Refusal = {
  readonly status: number;
  readonly response: { readonly headers: Readonly<Record<string, string | undefined>>; readonly data: unknown };
};

/** octokit's RequestError with an answer; without one it stands for a request that failed. */
function isRefusal(error: unknown): error is Error & Refusal {
  return error instanceof Error && "status" in error && "response" in error && error.response !== undefined;
}

export function gitHubFailure(error: unknown, session: Pick<ApiSession, "url" | "now" | "signal">): CoregitError {
  const { host } = session.url;
  if (isGraphFailure(error)) return graphFailure(error, host, session.now());
  if (!isRefusal(error)) return requestFailure(error, host, session.signal);
  const { status, response } = error;
  const said = messageOf(response.data);
  return apiFailure({ host, status, said, retryAtMs: retryAt(error, said, session.now()) });
}

type GraphFailure = { readonly errors: readonly { readonly type?: string; readonly message?: string }[] };

function isGraphFailure(error: unknown): error is Error & GraphFailure {
  return error instanceof Error && "errors" in error && Array.isArray(error.errors);
}

/** The statuses by which REST says the same. */
const GRAPH_STATUS: Readonly<Record<string, number>> = {
  FORBIDDEN: 403,
  INSUFFICIENT_SCOPES: 403,
  NOT_FOUND: 404,
  RATE_LIMITED: 429,
};

function graphFailure({ errors: [first] }: GraphFailure, host: string, nowMs: number): CoregitError {
  const status = GRAPH_STATUS[first?.type ?? ""] ?? 200;
  const retryAtMs = status === 429 ? nowMs + retryAfterMs({ headers: {} }, nowMs) : null;
  return apiFailure({ host, status, said: first?.message ?? "", retryAtMs });
}

function messageOf(data: unknown): string {
  return typeof data === "object" && data !== null && "message" in data && typeof data.message === "string" ? data.message : "";
}

function retryAt({ status, response: { headers } }: Refusal, said: string, nowMs: number): number | null {
  if (status !== 403 && status !== 429) return null;
  const resetMs = Number(headers["x-ratelimit-reset"]) * 1000;
  if (headers["retry-after"] === undefined && headers["x-ratelimit-remaining"] === "0" && resetMs > 0) {
    return Math.max(resetMs, nowMs);
  }
  const isLimit = status === 429 || headers["retry-after"] !== undefined || /\brate limit\b/i.test(said);
  return isLimit ? nowMs + retryAfterMs({ headers }, nowMs) : null;
}
