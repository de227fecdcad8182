// When a remote that still holds the connection has stopped being of use. Only time spent waiting for the remote counts:
// a reader that is busy writing does not make its remote slow.
import { CoregitError } from "../../domain/errors.ts";

export type PaceRule = {
  /** Waiting time over which is judged. */
  readonly windowMs: number;
  /** Bytes that must have come in that time. */
  readonly minimumBytes: number;
  /** The rule begins to hold when so many bytes have come. */
  readonly graceBytes: number;
};

/** Ends the transfer: the read that is waited for must fail with this error. */
type Abort = (error: CoregitError) => void;

/** One window after the other; a window lasts `windowMs` of waiting. */
class Window {
  readonly #rule: PaceRule;
  readonly #now: () => number;
  #leftMs: number;
  #bytes = 0;

  constructor(rule: PaceRule, now: () => number) {
    this.#rule = rule;
    this.#now = now;
    this.#leftMs = rule.windowMs;
  }

  /** Waits for `read`; calls `abort` when the window ends meanwhile with too little. */
  async wait<T>(read: Promise<T>, abort: Abort): Promise<T> {
    let sinceMs = this.#now();
    let timer: NodeJS.Timeout | undefined;
    const arm = (): void => {
      timer = setTimeout(() => {
        if (this.#bytes < this.#rule.minimumBytes) return abort(this.#tooSlow());
        this.#bytes = 0;
        this.#leftMs = this.#rule.windowMs;
        sinceMs = this.#now();
        arm();
      }, this.#leftMs);
    };
    arm();
    try {
      return await read;
    } finally {
      clearTimeout(timer);
      this.#leftMs = Math.max(0, this.#leftMs - (this.#now() - sinceMs));
    }
  }

  count(bytes: number): void {
    this.#bytes += bytes;
  }

  #tooSlow(): CoregitError {
    const seconds = Math.round(this.#rule.windowMs / 100) / 10;
    return new CoregitError("RemoteTooSlow", `The remote sent ${this.#bytes} bytes in ${seconds} s and was given up.`);
  }
}

/** Passes `source` on and aborts it when it falls below the rule. `now` is monotonic. */
export async function* paced(
  source: AsyncIterable<Uint8Array>,
  rule: PaceRule,
  abort: Abort,
  now: () => number,
): AsyncGenerator<Uint8Array, void, void> {
  const window = new Window(rule, now);
  const iterator = source[Symbol.asyncIterator]();
  let total = 0;
  try {
    for (;;) {
      const read = iterator.next();
      const next = await (total < rule.graceBytes ? read : window.wait(read, abort));
      if (next.done === true) return;
      total += next.value.length;
      window.count(next.value.length);
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
