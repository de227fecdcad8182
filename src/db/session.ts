// One connection while somebody has it: statements one after the other, their errors in the product's words, and the
// knowledge whether the connection is still good.

import type pg from "pg";
import { isConnectionFailure, translateDatabaseError } from "./connection-errors.ts";
import type { Queryable, Row } from "./database.ts";

export class Session implements Queryable {
  readonly #client: pg.ClientBase;
  #last: Promise<unknown> = Promise.resolve();
  #isLost = false;

  constructor(client: pg.ClientBase) {
    this.#client = client;
  }

  /** True when the connection broke or did not answer, or is still inside a transaction: nobody may use it again. */
  get isSpoilt(): boolean {
    return this.#isLost || this.#client.getTransactionStatus() !== "I";
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** To be called when the connection breaks between statements. */
  markLost(): void {
    this.#isLost = true;
  }

  /** Waits for statements that were issued before and are still under way. */
  async query<R extends Row>(text: string, values?: readonly unknown[], preparedAs?: string) {
    const result = this.#last.then(() => this.#run<R>(text, values, preparedAs));
    this.#last = result.catch(() => undefined);
    return await result;
  }

  async #run<R extends Row>(text: string, values?: readonly unknown[], preparedAs?: string) {
    try {
      const { rows, rowCount, command } = await this.#send<R>(text, values, preparedAs);
      return { rows, rowCount: rowCount ?? 0, command };
    } catch (error) {
      this.#isLost ||= isConnectionFailure(error);
      throw translateDatabaseError(error);
    }
  }

  #send<R extends Row>(text: string, values?: readonly unknown[], preparedAs?: string) {
    // Without values in the simple protocol, which takes several statements at once: migrations have them.
    if (values === undefined) return this.#client.query<R>(text);
    const named = preparedAs === undefined ? {} : { name: preparedAs };
    return this.#client.query<R>({ text, values: [...values], ...named });
  }
}
