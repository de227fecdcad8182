// Reads at a bounded rate, so that upkeep leaves the disk and the network to others.
import { setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../../domain/clock.ts";

/** Shorter waits cost more than they spread. */
const SHORTEST_WAIT_MS = 20;

/** A rate for everything that is read through it, however many sources that is. */
export class Pace {
  readonly #bytesPerSecond: number;
  readonly #clock: Clock;
  /** When all that was read so far may have been read. */
  #paidUntilMs = Number.NEGATIVE_INFINITY;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
  }

  /** Waits until reading `bytes` more keeps to the rate. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonic();
    this.#paidUntilMs = Math.max(this.#paidUntilMs, nowMs) + (bytes / this.#bytesPerSecond) * 1000;
    const waitMs = this.#paidUntilMs - nowMs;
    if (waitMs >= SHORTEST_WAIT_MS) await pause(waitMs, undefined, { signal });
  }
}
