// One piece of computing in each turn of the event loop. Several that become ready at once would otherwise follow each other without
// anything being read in between, and the database would wait for its next statement until the last of them is done.

export class EventLoopTurns {
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  /** Resolves at once when nobody has had this turn of the event loop, else in one of the next, in the order in which they came. */
  async next(): Promise<void> {
    if (!this.#isTaken) {
      this.#isTaken = true;
      setImmediate(this.#callNext);
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    await promise;
  }

  /** What is put off from here runs after the event loop has looked for input again. */
  readonly #callNext = (): void => {
    const call = this.#waiting.shift();
    this.#isTaken = call !== undefined;
    if (call === undefined) return;
    setImmediate(this.#callNext);
    call();
  };
}
