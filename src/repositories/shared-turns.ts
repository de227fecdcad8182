// Turns of those who want the same thing, one after the other in the order in which they came. Whoever's turn it is may take along
// those who wait right behind.

/** What has become of the first of the inputs, and of as many right behind it as were taken along; in their order. */
export type Outcomes<O> = readonly [PromiseSettledResult<O>, ...PromiseSettledResult<O>[]];

type Waiting<I, O> = {
  readonly input: I;
  readonly called: PromiseWithResolvers<"your turn" | PromiseSettledResult<O>>;
};

export class SharedTurns<I, O> {
  readonly #work: (inputs: readonly [I, ...I[]]) => Promise<Outcomes<O>>;
  readonly #most: number;
  /** Who waits while somebody has the turn. */
  readonly #lines = new Map<string, Waiting<I, O>[]>();

  /**
   * `work` runs in the turn, and in the asynchronous context, of the first of its inputs; `most` is how many it is shown. What it throws
   * is thrown to the first alone, and the others wait on.
   */
  constructor(work: (inputs: readonly [I, ...I[]]) => Promise<Outcomes<O>>, most: number) {
    this.#work = work;
    this.#most = most;
  }

  async run(key: string, input: I): Promise<O> {
    const line = this.#lines.get(key);
    if (line === undefined) this.#lines.set(key, []);
    else {
      const called = Promise.withResolvers<"your turn" | PromiseSettledResult<O>>();
      line.push({ input, called });
      const outcome = await called.promise;
      if (outcome !== "your turn") return take(outcome);
    }
    return await this.#inTurn(key, input);
  }

  async #inTurn(key: string, input: I): Promise<O> {
    const line = this.#lines.get(key) ?? [];
    try {
      const shown = line.slice(0, this.#most - 1);
      const [own, ...others] = await this.#work([input, ...shown.map((waiting) => waiting.input)]);
      for (const [index, { called }] of line.splice(0, others.length).entries()) called.resolve(others[index] ?? "your turn");
      return take(own);
    } finally {
      const next = line.shift();
      if (next === undefined) this.#lines.delete(key);
      else next.called.resolve("your turn");
    }
  }
}

function take<O>(outcome: PromiseSettledResult<O>): O {
  if (outcome.status === "fulfilled") return outcome.value;
  throw outcome.reason;
}
