// GitHub's refusals in the vocabulary of failure. Its limits come as 403 or 429 alike: told by headers or, where these are missing,
// by words alone. GraphQL answers 200 and says in `errors` what went wrong.
// Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
import type { CoregitError } from "../../domain/errors.ts";
import { apiFailure } from "../api-failure.ts";
import type { ApiSession } from "../api-session.ts";
import { requestFailure } from "../git/errors.ts";
import { type AnswerHeaders, readLimit } from "../rate-limit.ts";

export type Refusal = {
  readonly status: number;
  readonly response: { readonly headers: Readonly<Record<string, string | undefined>>; readonly data: unknown };
};

/** octokit's RequestError with an answer; without one it stands for a request that failed. */
export function isRefusal(error: unknown): error is Error & Refusal {
  return error instanceof Error && "status" in error && "response" in error && error.response !== undefined;
}

export function gitHubFailure(error: unknown, session: Pick<ApiSession, "url" | "now" | "signal">): CoregitError {
  const { host } = session.url;
  if (isGraphFailure(error)) return graphFailure(error, host, session.now());
  if (!isRefusal(error)) return requestFailure(error, host, session.signal);
  const { status, response } = error;
  const said = messageOf(response.data);
  return apiFailure({
    host,
    status,
    said,
    retryAtMs: readLimit({ status, headers: response.headers, said }, session.now())?.untilMs ?? null,
  });
}

export type GraphFailure = {
  readonly errors: readonly { readonly type?: string; readonly message?: string }[];
  readonly headers?: AnswerHeaders;
};

export function isGraphFailure(error: unknown): error is Error & GraphFailure {
  return error instanceof Error && "errors" in error && Array.isArray(error.errors);
}

/** The statuses by which REST says the same. Limits have had both names. */
const GRAPH_STATUS: Readonly<Record<string, number>> = {
  FORBIDDEN: 403,
  INSUFFICIENT_SCOPES: 403,
  NOT_FOUND: 404,
  UNPROCESSABLE: 422,
  STALE_DATA: 422,
  RATE_LIMIT: 429,
  RATE_LIMITED: 429,
};

export function graphStatus({ errors: [first] }: GraphFailure): number {
  return GRAPH_STATUS[first?.type ?? ""] ?? 200;
}

function graphFailure(failure: GraphFailure, host: string, nowMs: number): CoregitError {
  const { errors, headers = {} } = failure;
  const status = graphStatus(failure);
  const retryAtMs = readLimit({ status, headers, said: "" }, nowMs)?.untilMs ?? null;
  return apiFailure({ host, status, said: errors[0]?.message ?? "", retryAtMs });
}

export function messageOf(data: unknown): string {
  return typeof data === "object" && data !== null && "message" in data && typeof data.message === "string" ? data.message : "";
}
