// git's pkt-line framing (gitprotocol-common): four hex digits of length, then that many bytes less four. Bounded by the
// format itself: at most one incomplete packet of 64 KiB is held back.
import { CoregitError } from "../../domain/errors.ts";

export type Packet =
  | { readonly kind: "data"; readonly payload: Buffer }
  | { readonly kind: "flush" }
  | { readonly kind: "delimiter" }
  | { readonly kind: "response-end" };

/** LARGE_PACKET_MAX of git: the largest length that a packet may state. */
const MAX_PACKET_BYTES = 65_520;
const HEADER_BYTES = 4;
const HEX = /^[0-9a-f]{4}$/i;

export const FLUSH: Buffer = Buffer.from("0000");
export const DELIMITER: Buffer = Buffer.from("0001");

/** A data packet of one line of text. */
export function encodeLine(text: string): Buffer {
  const payload = Buffer.from(`${text}\n`, "utf8");
  const length = payload.length + HEADER_BYTES;
  if (length > MAX_PACKET_BYTES) throw new RangeError(`a line of ${payload.length} bytes does not fit a packet`);
  return Buffer.concat([Buffer.from(length.toString(16).padStart(4, "0"), "latin1"), payload]);
}

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
    while (bytes.length - at >= HEADER_BYTES) {
      const length = readLength(bytes, at);
      const end = at + Math.max(length, HEADER_BYTES);
      if (end > bytes.length) break;
      packets.push(packetOf(length, bytes.subarray(at + HEADER_BYTES, end)));
      at = end;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
    return packets;
  }
}

function readLength(bytes: Buffer, at: number): number {
  const text = bytes.toString("latin1", at, at + HEADER_BYTES);
  const length = HEX.test(text) ? Number.parseInt(text, 16) : Number.NaN;
  if (Number.isNaN(length) || length === 3 || length > MAX_PACKET_BYTES) {
    throw new CoregitError("RemoteProtocol", `The remote sent ${JSON.stringify(text)} where git's protocol has a packet length.`);
  }
  return length;
}

function packetOf(length: number, payload: Buffer): Packet {
  if (length === 0) return { kind: "flush" };
  if (length === 1) return { kind: "delimiter" };
  if (length === 2) return { kind: "response-end" };
  return { kind: "data", payload };
}
