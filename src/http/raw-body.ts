// A body that is proven before it is parsed: kept as it came, read once somebody has found it worth reading, and bounded in size
// and in time, since whoever sends it has shown no key.
import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import { CoregitError } from "../domain/errors.ts";
import type { Turns } from "../repositories/turns.ts";

export type RawBodyLimits = {
  readonly maxBytes: number;
  /** A body that is not announced to be smaller waits for a turn, since it is in memory as a whole. */
  readonly largeBytes: number;
  readonly turns: Turns;
  /** For the whole body. */
  readonly readMs: number;
};

export class RawBody {
  readonly #body: Readable;
  readonly #headers: IncomingHttpHeaders;
  readonly #limits: RawBodyLimits;

  constructor(body: Readable, headers: IncomingHttpHeaders, limits: RawBodyLimits) {
    this.#body = body;
    this.#headers = headers;
    this.#limits = limits;
  }

  /**
   * The whole body, handed to `use`: it is not kept longer than that.
   * @throws CoregitError `BodyTooLarge`, `Timeout`, and the reason of `signal`.
   */
  async read<T>(signal: AbortSignal, use: (bytes: Buffer) => Promise<T>): Promise<T> {
    const { turns, largeBytes } = this.#limits;
    const announced = Number(this.#headers["content-length"] ?? Number.POSITIVE_INFINITY);
    using _turn = announced > largeBytes ? await turns.take(signal) : null;
    return await use(await this.#gather());
  }

  async #gather(): Promise<Buffer> {
    const { maxBytes, readMs } = this.#limits;
    const chunks: Uint8Array[] = [];
    let size = 0;
    const timer = setTimeout(() => this.#body.destroy(), readMs);
    try {
      for await (const chunk of this.#body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
        size += chunk.byteLength;
        if (size > maxBytes) throw new CoregitError("BodyTooLarge", `The delivery is larger than ${maxBytes} bytes.`);
        chunks.push(chunk);
      }
    } finally {
      clearTimeout(timer);
    }
    return Buffer.concat(chunks, size);
  }
}
