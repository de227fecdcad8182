// Time that moves only when a test says so: clock and timers in one.
import type { Clock } from "../../src/domain/clock.ts";
import type { Timers } from "../../src/kube/timers.ts";

type Entry = { readonly atMs: number; readonly work: () => void };

export class ManualTime implements Clock, Timers {
  #nowMs = 1_000_000;
  readonly #entries = new Set<Entry>();

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(delayMs: number, work: () => void): Disposable {
    const entry = { atMs: this.#nowMs + delayMs, work };
    this.#entries.add(entry);
    return { [Symbol.dispose]: () => void this.#entries.delete(entry) };
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#entries.size;
  }

  /** Moves on, running what falls due in its order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let next = this.#earliest(untilMs); next !== null; next = this.#earliest(untilMs)) {
      this.#entries.delete(next);
      this.#nowMs = next.atMs;
      next.work();
    }
    this.#nowMs = untilMs;
  }

  #earliest(untilMs: number): Entry | null {
    const due = [...this.#entries].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
    return due[0] ?? null;
  }
}
