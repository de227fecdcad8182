// A fixed number of turns: who comes when all are taken waits, in the order of coming, until one is given back or the
// signal says that nobody waits for the result any more.

export class Turns {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** A turn, given back when it is disposed. Rejects with the signal's reason when it aborts first. */
  async take(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    return this.#turn();
  }

  #wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => {
      this.#waiting.delete(begin);
      reject(signal.reason);
    };
    const begin = () => {
      this.#waiting.delete(begin);
      signal.removeEventListener("abort", onAbort);
      resolve();
    };
    this.#waiting.add(begin);
    signal.addEventListener("abort", onAbort, { once: true });
    return promise;
  }

  #turn(): Disposable {
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (!isTaken) return;
        isTaken = false;
        // The turn passes to the next in line without becoming free in between.
        const [next] = this.#waiting;
        if (next === undefined) this.#free += 1;
        else next();
      },
    };
  }
}
