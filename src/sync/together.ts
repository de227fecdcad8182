// Work on many things at once: what is asked for while a round is on its way goes together in the next one. A busy process then
// asks the database as often as it answers, and an idle one does not wait for company.

type Asked<I, O> = { readonly input: I; readonly resolve: (output: O) => void; readonly reject: (error: unknown) => void };

export class Together<I, O> {
  readonly #work: (inputs: readonly I[]) => Promise<readonly O[]>;
  readonly #most: number;
  readonly #waiting: Asked<I, O>[] = [];
  #isWorking = false;

  /** `work` gives an output for each input, in their order; what it throws is thrown to each who asked. `most`: inputs of a round. */
  constructor(work: (inputs: readonly I[]) => Promise<readonly O[]>, most: number) {
    this.#work = work;
    this.#most = most;
  }

  ask(input: I): Promise<O> {
    const { promise, resolve, reject } = Promise.withResolvers<O>();
    this.#waiting.push({ input, resolve, reject });
    if (!this.#isWorking) void this.#run();
    return promise;
  }

  async #run(): Promise<void> {
    this.#isWorking = true;
    while (this.#waiting.length > 0) await this.#round(this.#waiting.splice(0, this.#most));
    this.#isWorking = false;
  }

  async #round(asked: readonly Asked<I, O>[]): Promise<void> {
    try {
      const outputs = await this.#work(asked.map(({ input }) => input));
      // There is an output for each input.
      for (const [index, { resolve }] of asked.entries()) resolve(outputs[index] as O);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
