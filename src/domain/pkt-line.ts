// git's pkt-line framing (gitprotocol-common): four hex digits of length, which counts itself, then the payload. Lengths
// below four are marks without a payload.

/** LARGE_PACKET_MAX of git: the largest length that a packet may state. */
export const MAX_PACKET_BYTES = 65_520;
export const PACKET_HEADER_BYTES = 4;
const HEX = /^[0-9a-f]{4}$/i;

export const FLUSH: Buffer = Buffer.from("0000");
export const DELIMITER: Buffer = Buffer.from("0001");

/** A data packet. @throws RangeError when the payload does not fit one. */
export function encodePacket(payload: Uint8Array): Buffer {
  const length = payload.length + PACKET_HEADER_BYTES;
  if (length > MAX_PACKET_BYTES) throw new RangeError(`${payload.length} bytes do not fit a packet`);
  return Buffer.concat([Buffer.from(length.toString(16).padStart(PACKET_HEADER_BYTES, "0"), "latin1"), payload]);
}

/** A data packet of one line of text. @throws RangeError when it does not fit one. */
export function encodeLine(text: string): Buffer {
  return encodePacket(Buffer.from(`${text}\n`, "utf8"));
}

/** The length that the header at `at` states, of a packet or, below four, of a mark; null: it is no length. */
export function readPacketLength(bytes: Buffer, at: number): number | null {
  const text = bytes.toString("latin1", at, at + PACKET_HEADER_BYTES);
  const length = HEX.test(text) ? Number.parseInt(text, 16) : Number.NaN;
  return Number.isNaN(length) || length === 3 || length > MAX_PACKET_BYTES ? null : length;
}
