// GitLab's refusals in the vocabulary of failure. It says why in `message`, its router and OAuth in `error`; a limit is always 429.
// Source: https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits
import { CoregitError } from "../../domain/errors.ts";
import { apiFailure } from "../api-failure.ts";
import type { ApiSession } from "../api-session.ts";
import { retryAfterMs } from "../git/errors.ts";

type Answered = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed; `undefined`: it was no JSON. */
  readonly body: unknown;
};

/** What GitLab answered instead of doing what was asked: the cause of the failure that it became. */
export class GitLabRefusal extends Error {
  override readonly name = "GitLabRefusal";
  readonly status: number;
  /** Its words, or "". */
  readonly said: string;
  /** What OAuth calls it, for example `insufficient_scope`; null: it is not OAuth's. */
  readonly oauthCode: string | null;

  constructor({ status, body }: Pick<Answered, "status" | "body">) {
    super(`HTTP ${status}`);
    this.status = status;
    this.said = saidIn(body);
    this.oauthCode = oauthCodeIn(body);
  }
}

export function gitLabFailure(answered: Answered, session: Pick<ApiSession, "url" | "now">): CoregitError {
  const { status, headers } = answered;
  const cause = new GitLabRefusal(answered);
  const nowMs = session.now();
  const retryAtMs = status === 429 ? nowMs + retryAfterMs({ headers }, nowMs) : null;
  const failure = apiFailure({ host: session.url.host, status, said: cause.said, retryAtMs });
  return new CoregitError(failure.code, failure.message, { cause, ...(retryAtMs === null ? {} : { retryAtMs }) });
}

/** Null: it failed without an answer, or with one that was none of GitLab's API. */
export function refusalIn(error: unknown): GitLabRefusal | null {
  return error instanceof CoregitError && error.cause instanceof GitLabRefusal ? error.cause : null;
}

function saidIn(body: unknown): string {
  if (typeof body !== "object" || body === null) return "";
  const { error_description, message, error } = body as Readonly<Record<string, unknown>>;
  return [error_description, message, error].find((text) => typeof text === "string") ?? "";
}

function oauthCodeIn(body: unknown): string | null {
  if (typeof body !== "object" || body === null || !("error_description" in body) || !("error" in body)) return null;
  return typeof body.error === "string" ? body.error : null;
}
