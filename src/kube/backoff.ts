// How long to wait before the next attempt: doubling up to a ceiling, spread by chance so that many clients do not return
// at one instant.
import type { Clock, Random } from "../domain/clock.ts";

export type BackoffLimits = {
  readonly firstMs: number;
  readonly longestMs: number;
};

/** The wait after `failures` failures in a row (1 or more): between half of the doubled wait and all of it. */
export function backoffMs(failures: number, { firstMs, longestMs }: BackoffLimits, random: Random): number {
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 40));
  return Math.round(full * (0.5 + random() / 2));
}

/** Counts attempts of one thing; forgets them when it has gone well for long enough. */
export class Backoff {
  readonly #limits: BackoffLimits & { readonly resetAfterMs: number };
  readonly #clock: Clock;
  readonly #random: Random;
  #failures = 0;
  #lastAtMs = 0;

  constructor(limits: BackoffLimits & { readonly resetAfterMs: number }, clock: Clock, random: Random) {
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
  }

  /** Notes a failure and answers the wait that follows it. */
  nextMs(): number {
    const now = this.#clock.monotonic();
    if (now - this.#lastAtMs > this.#limits.resetAfterMs) this.#failures = 0;
    this.#failures += 1;
    this.#lastAtMs = now;
    return backoffMs(this.#failures, this.#limits, this.#random);
  }
}
