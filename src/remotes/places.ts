// A number of places that requests take in their turn.
import { abortFailure } from "./git/errors.ts";

export class Places {
  readonly #all: number;
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  constructor(all: number) {
    this.#all = all;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Resolves when a place is the caller's, first come, first served. @throws CoregitError the reason of `signal`. */
  async take(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw abortFailure(signal);
    if (this.#taken < this.#all) {
      this.#taken += 1;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const giveUp = (): void => resolve();
    this.#waiting.add(resolve);
    signal.addEventListener("abort", giveUp, { once: true });
    await promise;
    signal.removeEventListener("abort", giveUp);
    if (!signal.aborted) return;
    // The place may have come together with the end.
    if (!this.#waiting.delete(resolve)) this.give();
    throw abortFailure(signal);
  }

  /** Gives one place back, or on to whoever has waited longest. */
  give(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
