// GitLab's refusals in the vocabulary of failure. It says why in `message`, its router and OAuth in `error`; a limit is always 429.
// Source: https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits
import type { CoregitError } from "../../domain/errors.ts";
import { apiFailure } from "../api-failure.ts";
import type { ApiSession } from "../api-session.ts";
import { retryAfterMs } from "../git/errors.ts";

type Refusal = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed; `undefined`: it was no JSON. */
  readonly body: unknown;
};

export function gitLabFailure({ status, headers, body }: Refusal, session: Pick<ApiSession, "url" | "now">): CoregitError {
  const nowMs = session.now();
  const retryAtMs = status === 429 ? nowMs + retryAfterMs({ headers }, nowMs) : null;
  return apiFailure({ host: session.url.host, status, said: saidIn(body), retryAtMs });
}

function saidIn(body: unknown): string {
  if (typeof body !== "object" || body === null) return "";
  const { error_description, message, error } = body as Readonly<Record<string, unknown>>;
  return [error_description, message, error].find((text) => typeof text === "string") ?? "";
}
