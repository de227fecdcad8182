// What networks and overloaded servers do, on order. A fault is for requests whose `METHOD /path?query` matches, and is used
// up. `before` and `after` are where races are made: code that runs while the request is on its way.

export type Fault =
  /** The connection breaks before anything was done. */
  | { readonly kind: "reset" }
  /** Nobody ever answers; nothing was done. */
  | { readonly kind: "stall" }
  /** Another answer; nothing was done. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The double does as asked, and the caller gets another answer: 502 unless said. */
  | { readonly kind: "answerAfter"; readonly status?: number; readonly body?: string }
  /** The double does as asked; the connection breaks instead of the answer. */
  | { readonly kind: "loseAnswer" }
  /** The double does as asked; half of the answer arrives as if it were whole, before the connection breaks, or before silence. */
  | { readonly kind: "halfAnswer"; readonly end: "complete" | "broken" | "silent" }
  /** Runs before the request is looked at. */
  | { readonly kind: "before"; readonly run: () => Promise<unknown> }
  /** Runs after the request was done and before its answer is sent. */
  | { readonly kind: "after"; readonly run: () => Promise<unknown> };

type Order = { readonly matching: RegExp; readonly fault: Fault; left: number };

/** A gate for a `before` or `after` fault: resolves `reached` when a request waits, which goes on after `open`. */
export type Gate = { readonly run: () => Promise<void>; readonly reached: Promise<void>; readonly open: () => void };

export function createGate(): Gate {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const run = async (): Promise<void> => {
    reached.resolve();
    await opened.promise;
  };
  return { run, reached: reached.promise, open: () => opened.resolve() };
}

export class Faults {
  readonly #orders: Order[] = [];

  /** The next `times` requests that match meet this fault. Where several match, the one ordered first. */
  order(matching: RegExp, fault: Fault, times = 1): void {
    this.#orders.push({ matching, fault, left: times });
  }

  /** Faults that nobody has met yet. */
  get pending(): number {
    return this.#orders.reduce((sum, { left }) => sum + left, 0);
  }

  clear(): void {
    this.#orders.length = 0;
  }

  /** The fault that a request meets, used up by it. */
  take(line: string): Fault | null {
    const index = this.#orders.findIndex(({ matching }) => matching.test(line));
    const order = this.#orders[index];
    if (order === undefined) return null;
    order.left -= 1;
    if (order.left <= 0) this.#orders.splice(index, 1);
    return order.fault;
  }
}
