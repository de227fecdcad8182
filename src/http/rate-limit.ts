// How often one token may ask: so many requests in each minute of the clock, counted in this process. Replicas count for
// themselves, and around the turn of a minute twice the number may pass; it bounds load, it is no meter.
import type { Clock } from "../domain/clock.ts";

const WINDOW_MS = 60_000;

export type Quota = {
  readonly limit: number;
  /** What is left in this minute. */
  readonly remaining: number;
  /** When the minute ends, epoch seconds. */
  readonly resetAt: number;
  /** Whole seconds until then, at least 1. */
  readonly retryAfter: number;
  /** This request is one too many. */
  readonly isExceeded: boolean;
};

export class RateLimit {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #used = new Map<string, number>();
  #window = Number.NaN;

  constructor(limitPerMinute: number, clock: Clock) {
    this.#limit = limitPerMinute;
    this.#clock = clock;
  }

  /** Counts one request of `id`. */
  take(id: string): Quota {
    const nowMs = this.#clock.now();
    const window = Math.floor(nowMs / WINDOW_MS);
    // One minute for all: what is kept is bounded by the tokens that asked in it.
    if (window !== this.#window) this.#used.clear();
    this.#window = window;
    const used = (this.#used.get(id) ?? 0) + 1;
    this.#used.set(id, used);
    const endMs = (window + 1) * WINDOW_MS;
    return {
      limit: this.#limit,
      remaining: Math.max(0, this.#limit - used),
      resetAt: endMs / 1000,
      retryAfter: Math.max(1, Math.ceil((endMs - nowMs) / 1000)),
      isExceeded: used > this.#limit,
    };
  }
}
