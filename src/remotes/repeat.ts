// Repeating what is safe to repeat: three times in all, each after a pause that grows and varies, so that a network's hiccup costs
// a moment and a provider that is down is not hurried. What was answered but for a 5xx is an answer and stays.
import type { Random } from "../domain/clock.ts";
import { CoregitError } from "../domain/errors.ts";
import type { Wait } from "./api-budget.ts";

export type RepeatPace = {
  readonly random: Random;
  readonly wait: Wait;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
  readonly signal: AbortSignal;
};

export const MAX_ATTEMPTS = 3;
/** What has taken this long already is not worth a second try while somebody waits. */
const LONGEST_MS = 10_000;
const FIRST_PAUSE_MS = 300;
const GROWTH = 4;

/** The result of the first attempt that is no passing failure, or that of the last. */
export async function repeated<T>(attempt: () => Promise<T>, pace: RepeatPace): Promise<T> {
  const { random, wait, now, signal } = pace;
  const startedMs = now();
  for (let attempts = 1; ; attempts += 1) {
    const isLast = () => attempts === MAX_ATTEMPTS || signal.aborted || now() - startedMs > LONGEST_MS;
    try {
      const result = await attempt();
      if (!isServerFailure(result) || isLast()) return result;
    } catch (error) {
      if (!isPassing(error) || isLast()) throw error;
    }
    await wait(FIRST_PAUSE_MS * GROWTH ** (attempts - 1) * (0.5 + random() / 2), signal).catch(() => undefined);
  }
}

function isServerFailure(result: unknown): boolean {
  return result instanceof Response && result.status >= 500 && !result.headers.has("retry-after");
}

function isPassing(error: unknown): boolean {
  return error instanceof CoregitError && error.code === "RemoteUnreachable";
}
