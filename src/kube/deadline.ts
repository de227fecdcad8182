// A time limit on one piece of work, beside the signals of others. Unlike AbortSignal.timeout and AbortSignal.any it holds nothing once
// the work is done: hundreds of calls a second would otherwise leave as many timers behind for as long as a deadline is.
import type { Timers } from "./timers.ts";

export class Deadline implements Disposable {
  readonly #abort = new AbortController();
  readonly #parents: readonly AbortSignal[];
  readonly #timer: Disposable;
  #hasPassed = false;

  constructor(timers: Timers, afterMs: number, parents: readonly AbortSignal[]) {
    this.#parents = parents;
    this.#timer = timers.after(afterMs, () => {
      this.#hasPassed = true;
      this.#abort.abort(new DOMException("the time is over", "TimeoutError"));
    });
    for (const parent of parents) parent.addEventListener("abort", this.#onParent, { once: true });
    this.#onParent();
  }

  /** Aborts with a parent, for its reason, or when the time is over, for a `TimeoutError`. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** It was the time that ended the work. */
  get hasPassed(): boolean {
    return this.#hasPassed;
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
    for (const parent of this.#parents) parent.removeEventListener("abort", this.#onParent);
  }

  readonly #onParent = (): void => {
    const aborted = this.#parents.find((parent) => parent.aborted);
    if (aborted !== undefined) this.#abort.abort(aborted.reason);
  };
}
