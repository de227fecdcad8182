// One request and its answer, under the limits: how slow and how long an answer may be.
import { CoregitError } from "../../domain/errors.ts";
import type { RemoteLimits } from "../limits.ts";
import { type PaceRule, paced } from "./pace.ts";
import { PacketReader } from "./packet-reader.ts";
import type { Quote } from "./remote-text.ts";

export type ExchangeOptions = {
  readonly limits: RemoteLimits;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  readonly quote: Quote;
};

export type Send = (signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;

/** While a server counts objects it sends a few bytes each 5 s: the low-speed rule holds only once more than that has come. */
const COUNTING_BYTES = 1024;

/** Disposal ends the transfer. */
export class Exchange implements AsyncDisposable {
  readonly #options: ExchangeOptions;
  readonly #own = new AbortController();
  readonly #signal: AbortSignal;
  #reader: PacketReader | null = null;

  constructor(options: ExchangeOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = AbortSignal.any([signal, this.#own.signal]);
  }

  /**
   * `whole`: the answer is a list, which has a size limit and has to come quickly from its first byte; `verdict`: so is this
   * one, but the remote may take its time for it.
   */
  async open(send: Send, extent: "whole" | "verdict" | "stream" = "stream"): Promise<PacketReader> {
    const { limits, quote } = this.#options;
    const { silenceMs, lowSpeedMs, lowSpeedBytesPerSecond } = limits;
    const heard = this.#paced(await send(this.#signal), { windowMs: silenceMs, minimumBytes: 1, graceBytes: 0 });
    const bytes = this.#paced(heard, {
      windowMs: lowSpeedMs,
      minimumBytes: extent === "verdict" ? 1 : Math.floor((lowSpeedBytesPerSecond * lowSpeedMs) / 1000),
      graceBytes: extent === "whole" ? 0 : COUNTING_BYTES,
    });
    this.#reader = new PacketReader(extent === "stream" ? bytes : limited(bytes, limits.refsBytes), quote);
    return this.#reader;
  }

  #paced(source: AsyncIterable<Uint8Array>, rule: PaceRule): AsyncGenerator<Uint8Array, void, void> {
    return paced(source, rule, (error) => this.#own.abort(error), this.#options.monotonic);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#own.abort();
    await this.#reader?.[Symbol.asyncDispose]();
  }
}

async function* limited(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array, void, void> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new CoregitError("RemoteProtocol", `The remote's answer is longer than ${maxBytes} bytes.`);
    yield chunk;
  }
}
