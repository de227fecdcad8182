// One answer of a server, packet by packet. Knows where an answer may say ERR and that it may end early; what the packets
// mean is the readers' business.
import { CoregitError } from "../../domain/errors.ts";
import { type Quote, remoteRefusal } from "./remote-text.ts";
import { lineOf, type Packet, PacketDecoder } from "./wire.ts";

function brokenOff(): CoregitError {
  return new CoregitError("RemoteProtocol", "The remote's answer ended before it was complete.");
}

const ERROR_PREFIX = Buffer.from("ERR ");

/** Disposal ends the transfer, wherever it stands. */
export class PacketReader implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #decoder = new PacketDecoder();
  readonly #quote: Quote;
  #ready: Packet[] = [];
  #position = 0;

  constructor(source: AsyncIterable<Uint8Array>, quote: Quote) {
    this.#chunks = source[Symbol.asyncIterator]();
    this.#quote = quote;
  }

  /** @throws CoregitError `RemoteProtocol` for bytes that are no packet and for an answer that ends here. */
  async next(): Promise<Packet> {
    for (;;) {
      const packet = this.#ready[this.#position];
      if (packet !== undefined) {
        this.#position += 1;
        return packet;
      }
      const chunk = await this.#chunks.next();
      if (chunk.done === true) throw brokenOff();
      this.#ready = this.#decoder.push(chunk.value);
      this.#position = 0;
    }
  }

  /**
   * Payload of a line, or null for a packet that separates.
   * @throws CoregitError as `next`, and what an `ERR` line means.
   */
  async nextLine(): Promise<Buffer | null> {
    const packet = await this.next();
    if (packet.kind !== "data") return null;
    const { payload } = packet;
    if (payload.subarray(0, ERROR_PREFIX.length).equals(ERROR_PREFIX))
      throw this.refusal(lineOf(payload.subarray(ERROR_PREFIX.length)));
    return payload;
  }

  /** The failure that the remote's own words stand for. */
  refusal(said: string): CoregitError {
    return remoteRefusal(said, this.#quote);
  }

  /** Reads on to the end of the answer, which is near, so that its connection can serve the next request. */
  async finish(): Promise<void> {
    if (this.#position === this.#ready.length) await this.#chunks.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.();
  }
}
