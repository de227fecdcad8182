// What a remote sends, cut into git's packets. Bounded by the format itself: at most one incomplete packet of 64 KiB is
// held back.
import { CoregitError } from "../../domain/errors.ts";
import { PACKET_HEADER_BYTES, readPacketLength } from "../../domain/pkt-line.ts";

export { DELIMITER, encodeLine, encodePacket, FLUSH } from "../../domain/pkt-line.ts";

export type Packet =
  | { readonly kind: "data"; readonly payload: Buffer }
  | { readonly kind: "flush" }
  | { readonly kind: "delimiter" }
  | { readonly kind: "response-end" };

/** Text of a line packet without its line end. Bytes that are no UTF-8 become U+FFFD. */
export function lineOf(payload: Buffer): string {
  return payload.toString("utf8").replace(/\n$/, "");
}

/** Cuts a byte stream into packets, however it was split. */
export class PacketDecoder {
  #rest: Buffer = Buffer.alloc(0);

  /**
   * The packets that `chunk` completes. Payloads may share memory with it.
   * @throws CoregitError `RemoteProtocol` when a length is not one.
   */
  push(chunk: Uint8Array): Packet[] {
    const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const bytes = this.#rest.length === 0 ? view : Buffer.concat([this.#rest, view]);
    const packets: Packet[] = [];
    let at = 0;
    while (bytes.length - at >= PACKET_HEADER_BYTES) {
      const length = readLength(bytes, at);
      const end = at + Math.max(length, PACKET_HEADER_BYTES);
      if (end > bytes.length) break;
      packets.push(packetOf(length, bytes.subarray(at + PACKET_HEADER_BYTES, end)));
      at = end;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
    return packets;
  }
}

function readLength(bytes: Buffer, at: number): number {
  const length = readPacketLength(bytes, at);
  if (length !== null) return length;
  const text = bytes.toString("latin1", at, at + PACKET_HEADER_BYTES);
  throw new CoregitError("RemoteProtocol", `The remote sent ${JSON.stringify(text)} where git's protocol has a packet length.`);
}

function packetOf(length: number, payload: Buffer): Packet {
  if (length === 0) return { kind: "flush" };
  if (length === 1) return { kind: "delimiter" };
  if (length === 2) return { kind: "response-end" };
  return { kind: "data", payload };
}
