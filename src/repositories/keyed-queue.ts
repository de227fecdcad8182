// Lets those who want the same thing have it one after the other, in the order in which they came.

export class KeyedQueue {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs `work` when everything that was asked for under `key` before has ended, however it ended. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const mine = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const ended = mine.then(passOver, passOver);
    this.#last.set(key, ended);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === ended) this.#last.delete(key);
    }
  }
}

function passOver(): void {
  // Whoever waits for this turn only waits for its end.
}
