// Refusals that last: from the first one on, a caller is refused until its time is over, and one that keeps asking although it
// must know of it is a violation. Time is the double's clock; only the grace, for requests that were under way, is real.
import type { Clock } from "../../../src/domain/clock.ts";
import type { Refusal } from "./answer.ts";
import type { Violations } from "./violations.ts";

type Block = { readonly untilMs: number; readonly refusal: Refusal; refusedAtMs: number | null };

export class Throttling {
  /** Real milliseconds within which a caller cannot have known of a refusal. */
  graceMs = 250;
  readonly #clock: Clock;
  readonly #violations: Violations;
  readonly #blocks = new Map<string, Block>();

  constructor(clock: Clock, violations: Violations) {
    this.#clock = clock;
    this.#violations = violations;
  }

  /** Refuses the caller `key` from its next request on until `untilMs`. */
  block(key: string, untilMs: number, refusal: Refusal): void {
    this.#blocks.set(key, { untilMs, refusal, refusedAtMs: null });
  }

  /** The same, and gives the refusal for the request at hand. */
  refuse(key: string, untilMs: number, refusal: Refusal): Refusal {
    this.#blocks.set(key, { untilMs, refusal, refusedAtMs: performance.now() });
    return refusal;
  }

  /** @throws Refusal while the caller is blocked. */
  check(key: string): void {
    const block = this.#blocks.get(key);
    if (block === undefined) return;
    if (this.#clock.now() >= block.untilMs) {
      this.#blocks.delete(key);
      return;
    }
    const now = performance.now();
    block.refusedAtMs ??= now;
    if (now - block.refusedAtMs > this.graceMs) {
      this.#violations.add("impolite", `${key} asked again before its rate limit ended`);
    }
    throw block.refusal;
  }
}

/** Counts what a caller used of a fixed window of time. */
export class Windows {
  readonly #clock: Clock;
  readonly #windows = new Map<string, { startedAtMs: number; used: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The current window, which begins with its first use; `used` may be raised. */
  current(key: string, lengthMs: number): { readonly startedAtMs: number; used: number } {
    const now = this.#clock.now();
    const known = this.#windows.get(key);
    if (known !== undefined && now < known.startedAtMs + lengthMs) return known;
    const window = { startedAtMs: now, used: 0 };
    this.#windows.set(key, window);
    return window;
  }
}
