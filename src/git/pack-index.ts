// Pack indexes, version 2 (gitformat-pack): where each object of a pack lies. Read to know what a pack holds,
// written for packs that are made or cut in process.
import { hash } from "node:crypto";
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";

const MAGIC = 0xff744f63;
const VERSION = 2;
const FANOUT_BYTES = 256 * 4;
const HEADER_BYTES = 8 + FANOUT_BYTES;
const OID_BYTES = 20;
const TRAILER_BYTES = 2 * OID_BYTES;
const BYTES_PER_OBJECT = OID_BYTES + 4 + 4;
/** Offsets from here on do not fit into 31 bits and stand in a table of their own. */
const LARGE_OFFSET = 0x80000000;

export type IndexEntry = {
  readonly oid: Oid;
  /** Of the object's first byte in the pack. */
  readonly offset: number;
  /** CRC-32 of the object's bytes in the pack, compressed. */
  readonly crc32: number;
};

/** Entries in order of oid. @throws CoregitError `PackInvalid` when the bytes are no index of version 2. */
export function decodeIndex(bytes: Buffer): IndexEntry[] {
  const isIndex =
    bytes.length >= HEADER_BYTES + TRAILER_BYTES && bytes.readUInt32BE(0) === MAGIC && bytes.readUInt32BE(4) === VERSION;
  if (!isIndex) throw invalid();
  const count = bytes.readUInt32BE(HEADER_BYTES - 4);
  if (bytes.length < HEADER_BYTES + count * BYTES_PER_OBJECT + TRAILER_BYTES) throw invalid();
  const crcs = HEADER_BYTES + count * OID_BYTES;
  const offsets = crcs + count * 4;
  const largeOffsets = offsets + count * 4;
  const entries: IndexEntry[] = [];
  for (let index = 0; index < count; index += 1) {
    const name = HEADER_BYTES + index * OID_BYTES;
    const offset = bytes.readUInt32BE(offsets + index * 4);
    entries.push({
      oid: bytes.toString("hex", name, name + OID_BYTES) as Oid,
      offset: offset < LARGE_OFFSET ? offset : readLargeOffset(bytes, largeOffsets + (offset - LARGE_OFFSET) * 8),
      crc32: bytes.readUInt32BE(crcs + index * 4),
    });
  }
  return entries;
}

function readLargeOffset(bytes: Buffer, position: number): number {
  if (position + 8 > bytes.length - TRAILER_BYTES) throw invalid();
  return Number(bytes.readBigUInt64BE(position));
}

function invalid(): CoregitError {
  return new CoregitError("PackInvalid", "A pack's index is malformed.");
}

/** The index of a pack. `entries` are in order of oid; `packChecksum` is the pack's SHA-1 trailer. */
export function encodeIndex(entries: readonly IndexEntry[], packChecksum: Uint8Array): Buffer {
  const large = entries.filter(({ offset }) => offset >= LARGE_OFFSET);
  const bytes = Buffer.alloc(HEADER_BYTES + entries.length * BYTES_PER_OBJECT + large.length * 8 + TRAILER_BYTES);
  bytes.writeUInt32BE(MAGIC, 0);
  bytes.writeUInt32BE(VERSION, 4);
  writeFanout(bytes, entries);
  const crcs = HEADER_BYTES + entries.length * OID_BYTES;
  const offsets = crcs + entries.length * 4;
  const largeOffsets = offsets + entries.length * 4;
  let largeCount = 0;
  for (const [index, { oid, offset, crc32 }] of entries.entries()) {
    bytes.write(oid, HEADER_BYTES + index * OID_BYTES, "hex");
    bytes.writeUInt32BE(crc32, crcs + index * 4);
    if (offset < LARGE_OFFSET) {
      bytes.writeUInt32BE(offset, offsets + index * 4);
      continue;
    }
    bytes.writeUInt32BE(LARGE_OFFSET + largeCount, offsets + index * 4);
    bytes.writeBigUInt64BE(BigInt(offset), largeOffsets + largeCount * 8);
    largeCount += 1;
  }
  bytes.set(packChecksum, bytes.length - TRAILER_BYTES);
  bytes.set(hash("sha1", bytes.subarray(0, -OID_BYTES), "buffer"), bytes.length - OID_BYTES);
  return bytes;
}

/** At each first byte: how many objects have that first byte or a smaller one. */
function writeFanout(bytes: Buffer, entries: readonly IndexEntry[]): void {
  let seen = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    const limit = (byte + 1).toString(16).padStart(2, "0");
    while (seen < entries.length && (byte === 255 || (entries[seen]?.oid ?? "") < limit)) seen += 1;
    bytes.writeUInt32BE(seen, 8 + byte * 4);
  }
}
