// The body of a push. A pack may take hours on a slow line, so it is the silence that is limited, not the time; its size is
// limited by whoever reads it. A client sends its whole body before it reads the answer, so what nobody wants of it is read too.
import type { Readable } from "node:stream";
import { CoregitError } from "../domain/errors.ts";
import { readGitBody } from "./git-body.ts";

/** What is read of a refused push for the sake of its answer; beyond it the connection ends instead. */
const MAX_UNWANTED_BYTES = 256 * 1024 * 1024;

export class PushBody implements AsyncIterable<Uint8Array> {
  readonly #body: Readable;
  #chunks: AsyncIterator<Uint8Array>;
  readonly #idleMs: number;
  #isOver = false;

  /** `idleMs`: a client that sends nothing for as long is gone. */
  constructor(body: Readable, encoding: string | undefined, idleMs: number) {
    this.#body = body;
    this.#chunks = readGitBody(body, encoding, Number.POSITIVE_INFINITY)[Symbol.asyncIterator]();
    this.#idleMs = idleMs;
  }

  /** Goes on where the last reader stopped. Stopping leaves the connection alone, which the end of a stream's iterator would not. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next() };
  }

  /** Reads what is left, or ends the connection. Never throws. */
  async drain(): Promise<void> {
    let unwanted = 0;
    while (!this.#isOver && unwanted <= MAX_UNWANTED_BYTES) {
      // Whoever read first has been told what is wrong; the connection may be fine all the same.
      const next = await this.#next().catch(() => null);
      unwanted += next === null || next.done === true ? 0 : next.value.byteLength;
    }
    if (!this.#isOver) this.#body.destroy();
  }

  /** @throws CoregitError `Timeout`, and as `readGitBody`. */
  async #next(): Promise<IteratorResult<Uint8Array>> {
    const silence = Promise.withResolvers<never>();
    const timer = setTimeout(() => silence.reject(new CoregitError("Timeout", "The client stopped sending.")), this.#idleMs);
    try {
      const next = await Promise.race([this.#chunks.next(), silence.promise]);
      this.#isOver = next.done === true;
      return next;
    } catch (error) {
      const isSilent = error instanceof CoregitError && error.code === "Timeout";
      if (isSilent) this.#body.destroy();
      // What cannot be decoded is read as it is, for the sake of the answer.
      this.#isOver = this.#body.destroyed || this.#body.readableEnded;
      this.#chunks = this.#body.iterator({ destroyOnReturn: false });
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
