// The first twelve bytes of a pack (gitformat-pack).
import { CoregitError } from "../domain/errors.ts";

export const PACK_HEADER_BYTES = 12;
/** The SHA-1 of everything before it ends a pack. */
export const PACK_TRAILER_BYTES = 20;
const MAGIC = "PACK";
const VERSION = 2;

export function encodePackHeader(objectCount: number): Buffer {
  const header = Buffer.alloc(PACK_HEADER_BYTES);
  header.write(MAGIC, "latin1");
  header.writeUInt32BE(VERSION, 4);
  header.writeUInt32BE(objectCount, 8);
  return header;
}

/** The number of objects that a pack says it has. @throws CoregitError `PackInvalid` when this is no pack. */
export function decodePackHeader(header: Buffer): number {
  const isPack =
    header.length >= PACK_HEADER_BYTES && header.toString("latin1", 0, 4) === MAGIC && header.readUInt32BE(4) === VERSION;
  if (!isPack) throw new CoregitError("PackInvalid", "What was received is not a pack.");
  return header.readUInt32BE(8);
}
