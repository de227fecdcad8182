// What an answer says about how much more may be asked. GitHub's limits come as 403 or 429 alike, told by headers or, where these
// are missing, by words alone; GitLab's as 429; git servers may send Retry-After with 503.
// Sources: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api,
// https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits
import { retryAfterMs } from "./git/errors.ts";

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

export type LimitAnswer = {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** What the provider says about it, or "". */
  readonly said: string;
};

export type Limit = {
  /** Epoch milliseconds by our clock. */
  readonly untilMs: number;
  /** `allowance`: what the same allowance pays for has to wait; `all`: whatever the credential asks. */
  readonly scope: "all" | "allowance";
  /** False: the provider named no time, and this is the shortest that it documents. */
  readonly isTimed: boolean;
};

/** What is left of a number of requests, and when it is full again (epoch milliseconds by our clock). */
export type Allowance = {
  /** The provider's name of it; null: it has one for all. */
  readonly resource: string | null;
  readonly remaining: number;
  readonly resetMs: number;
};

/** A lying server cannot put a credential to rest for longer. */
const LONGEST_MS = 24 * 3_600_000;
/** Smaller numbers are seconds from now, as other servers than GitHub and GitLab count. */
const FIRST_EPOCH_SECONDS = 1_000_000_000;

/** null: the answer is no limit. */
export function readLimit({ status, headers, said }: LimitAnswer, nowMs: number): Limit | null {
  if (status !== 403 && status !== 429 && status !== 503) return null;
  if (headers["retry-after"] !== undefined) {
    const waitMs = retryAfterMs({ headers }, nowMs + clockOffsetMs(headers, nowMs));
    return { untilMs: nowMs + waitMs, scope: "all", isTimed: true };
  }
  if (status === 503) return null;
  const allowance = readAllowance(headers, nowMs);
  if (allowance?.remaining === 0) return { untilMs: allowance.resetMs, scope: "allowance", isTimed: true };
  if (status !== 429 && !/\brate limit\b/i.test(said)) return null;
  return { untilMs: nowMs + retryAfterMs({ headers: {} }, nowMs), scope: "all", isTimed: false };
}

/** null: the answer tells none. */
export function readAllowance(headers: AnswerHeaders, nowMs: number): Allowance | null {
  const of = (name: string): string | undefined => textOf(headers[`x-ratelimit-${name}`] ?? headers[`ratelimit-${name}`]);
  const remaining = numberIn(of("remaining"));
  const reset = numberIn(of("reset"));
  if (remaining === null || reset === null) return null;
  const resetMs = reset < FIRST_EPOCH_SECONDS ? nowMs + reset * 1000 : reset * 1000 - clockOffsetMs(headers, nowMs);
  const bounded = Math.min(Math.max(resetMs, nowMs), nowMs + LONGEST_MS);
  return { resource: textOf(headers["x-ratelimit-resource"]) ?? null, remaining, resetMs: bounded };
}

/** How far the server's clock is ahead of ours, to the second; 0 when it does not tell, or tells what no clock would. */
export function clockOffsetMs(headers: AnswerHeaders, nowMs: number): number {
  const offsetMs = Date.parse(textOf(headers.date) ?? "") - nowMs;
  return Math.abs(offsetMs) <= LONGEST_MS ? offsetMs : 0;
}

function numberIn(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,12}$/.test(text.trim()) ? Number(text) : null;
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
