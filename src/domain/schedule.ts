// When a sync runs next. The only place that maps what happened to a time: success to the interval, and the kind of an
// error to a retry. Knows no database: times are epoch milliseconds, null is "nothing is due until somebody asks".

import type { Random } from "./clock.ts";
import { type CoregitError, type ErrorCode, type RetryKind, retryKind } from "./errors.ts";

export type ScheduleInput = {
  readonly nowMs: number;
  /** 0: no polling. */
  readonly intervalMs: number;
  /** Fraction of the interval by which it varies either way, 0 to 1. */
  readonly jitter: number;
  /** Failures in a row before this one. */
  readonly failures: number;
  readonly random: Random;
};

export type NextAttempt = {
  readonly nextRunAtMs: number | null;
  /** Failures in a row after this attempt. */
  readonly failures: number;
  readonly retry: RetryKind | null;
};

/** The first retry comes soon, because most failures of a network are over at once. */
const FIRST_BACKOFF_MS = 2000;
/** As long as Flux's controllers wait at most between retries. */
const LONGEST_BACKOFF_MS = 15 * 60_000;
/** A sync that polls more often than this still backs off to it, so that a dead remote costs one call a minute. */
const SHORTEST_CEILING_MS = 60_000;
/** GitHub's primary limits reset within an hour; a remote that asks for more than a day is not believed. */
const LONGEST_WAIT_MS = 24 * 3_600_000;
/** Waits for a remote are spread by up to this much, so that all syncs of one account do not return in one instant. */
const LONGEST_SPREAD_MS = 30_000;

/**
 * Terminal for the run, yet what cures it may be done on the remote, where only a poll sees it. All other terminal
 * errors are cured by changing the declaration, which makes the sync due by itself.
 */
const CURED_BY_REMOTE: ReadonlySet<ErrorCode> = new Set([
  "Conflict",
  "Diverged",
  "TooManyDeletions",
  "EmptyUpstream",
  "AddressRefused",
  "RedirectRefused",
  "RemoteUnsupported",
  "RemoteTooLarge",
  "RemoteReplaced",
  "LocalBranchMissing",
  "PackTooLarge",
  "TooManyObjects",
  "OutOfMemory",
  "ObjectInvalid",
  "PathRefused",
  "RefNameRefused",
]);

/** The next poll: an interval from now, varied by the jitter; null when polling is off. */
export function nextPollAt(input: Omit<ScheduleInput, "failures">): number | null {
  if (input.intervalMs <= 0) return null;
  return input.nowMs + Math.round(input.intervalMs * (1 + input.jitter * (2 * input.random() - 1)));
}

/** After a run that succeeded or was skipped. */
export function afterSuccess(input: Omit<ScheduleInput, "failures">): NextAttempt {
  return { nextRunAtMs: nextPollAt(input), failures: 0, retry: null };
}

/** After a run that failed: the one function that maps the kind of an error to its retry. */
export function outcome(error: CoregitError, input: ScheduleInput): NextAttempt {
  const retry = retryKind(error.code);
  const failures = input.failures + 1;
  if (retry === "terminal") {
    return { nextRunAtMs: CURED_BY_REMOTE.has(error.code) ? nextPollAt(input) : null, failures, retry };
  }
  if (retry === "later" && error.retryAtMs !== null) {
    return { nextRunAtMs: waitUntil(error.retryAtMs, input), failures, retry };
  }
  return { nextRunAtMs: input.nowMs + backoffMs(input), failures, retry };
}

/** Doubles with each failure up to a ceiling; between half of that and all of it, so that retries spread. */
export function backoffMs(input: Pick<ScheduleInput, "failures" | "intervalMs" | "random">): number {
  const ceiling = input.intervalMs > 0 ? clamp(input.intervalMs, SHORTEST_CEILING_MS, LONGEST_BACKOFF_MS) : LONGEST_BACKOFF_MS;
  const full = Math.min(ceiling, FIRST_BACKOFF_MS * 2 ** Math.min(input.failures, 30));
  return Math.round(full * (0.5 + input.random() / 2));
}

/** Never before the time that the remote named, nor so soon that it would be asked in a hot loop. */
function waitUntil(retryAtMs: number, input: ScheduleInput): number {
  const waitMs = clamp(retryAtMs - input.nowMs, backoffMs(input), LONGEST_WAIT_MS);
  return input.nowMs + waitMs + Math.round(input.random() * Math.min(LONGEST_SPREAD_MS, waitMs / 10));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
