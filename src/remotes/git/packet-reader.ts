// One answer of a server, packet by packet. Knows where an answer may say ERR and that it may end early; what the packets
// mean is the readers' business.
import { CoregitError } from "../../domain/errors.ts";
import { type Quote, remoteRefusal } from "./remote-text.ts";
import { lineOf, type Packet, PacketDecoder } from "./wire.ts";

async function* decodePackets(source: AsyncIterable<Uint8Array>): AsyncGenerator<Packet, void, void> {
  const decoder = new PacketDecoder();
  for await (const chunk of source) yield* decoder.push(chunk);
  if (!decoder.isAtBoundary) throw brokenOff();
}

function brokenOff(): CoregitError {
  return new CoregitError("RemoteProtocol", "The remote's answer ended before it was complete.");
}

/** Disposal ends the transfer, wherever it stands. */
export class PacketReader implements AsyncDisposable {
  readonly #packets: AsyncGenerator<Packet, void, void>;
  readonly #quote: Quote;

  constructor(source: AsyncIterable<Uint8Array>, quote: Quote) {
    this.#packets = decodePackets(source);
    this.#quote = quote;
  }

  /** @throws CoregitError `RemoteProtocol` for bytes that are no packet and for an answer that ends here. */
  async next(): Promise<Packet> {
    const next = await this.#packets.next();
    if (next.done === true) throw brokenOff();
    return next.value;
  }

  /**
   * Payload of a line, or null for a packet that separates.
   * @throws CoregitError as `next`, and what an `ERR` line means.
   */
  async nextLine(): Promise<Buffer | null> {
    const packet = await this.next();
    if (packet.kind !== "data") return null;
    const text = lineOf(packet.payload);
    if (text.startsWith("ERR ")) throw this.refusal(text.slice("ERR ".length));
    return packet.payload;
  }

  /** The failure that the remote's own words stand for. */
  refusal(said: string): CoregitError {
    return remoteRefusal(said, this.#quote);
  }

  /** Reads past the answer's end, so that its connection can serve the next request. */
  async finish(): Promise<void> {
    await this.#packets.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#packets.return();
  }
}
