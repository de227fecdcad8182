// Keeps a failure that repeats from filling the log: it is told when it begins and from then on once an hour.
import type { Clock } from "../domain/clock.ts";

const AGAIN_AFTER_MS = 3_600_000;
const REMEMBERED = 1000;

export class SaidOnce {
  readonly #clock: Clock;
  readonly #said = new Map<string, { readonly text: string; readonly atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether `text` is news about `subject`; what was said of it before counts no more. */
  isNews(subject: string, text: string): boolean {
    const nowMs = this.#clock.monotonic();
    const last = this.#said.get(subject);
    if (last !== undefined && last.text === text && nowMs - last.atMs < AGAIN_AFTER_MS) return false;
    this.#said.delete(subject);
    this.#said.set(subject, { text, atMs: nowMs });
    const [oldest] = this.#said.keys();
    if (this.#said.size > REMEMBERED && oldest !== undefined) this.#said.delete(oldest);
    return true;
  }

  /** The subject is well: whatever comes next is news. */
  forget(subject: string): void {
    this.#said.delete(subject);
  }
}
