// Pack indexes, version 2 (gitformat-pack): where each object of a pack lies. Read to know what a pack holds,
// written for packs that are made in process.
import { hash } from "node:crypto";
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";

const MAGIC = 0xff744f63;
const VERSION = 2;
const FANOUT_BYTES = 256 * 4;
const HEADER_BYTES = 8 + FANOUT_BYTES;
const OID_BYTES = 20;
const HEX = 2 * OID_BYTES;
const TRAILER_BYTES = 2 * OID_BYTES;
const BYTES_PER_OBJECT = OID_BYTES + 4 + 4;
/** To sort so many took 0.05 to 0.1 s, in which nothing else is done. An offset and a position fit into the 53 bits of a number. */
const MOST_SORTED = 1 << 17;

export type IndexEntry = {
  readonly oid: Oid;
  /** Of the object's first byte in the pack, which is smaller than 2 GiB. */
  readonly offset: number;
  /** CRC-32 of the object's bytes in the pack, compressed. */
  readonly crc32: number;
};

/** How many objects the pack has. @throws CoregitError `PackInvalid` when the bytes are no index of version 2. */
export function countObjects(bytes: Buffer): number {
  const isIndex =
    bytes.length >= HEADER_BYTES + TRAILER_BYTES && bytes.readUInt32BE(0) === MAGIC && bytes.readUInt32BE(4) === VERSION;
  if (!isIndex) throw invalid();
  const count = bytes.readUInt32BE(HEADER_BYTES - 4);
  if (bytes.length < HEADER_BYTES + count * BYTES_PER_OBJECT + TRAILER_BYTES) throw invalid();
  return count;
}

/** The oids of all objects in order, 20 bytes each, as part of `bytes`. @throws CoregitError `PackInvalid`. */
export function readObjectNames(bytes: Buffer): Buffer {
  return bytes.subarray(HEADER_BYTES, HEADER_BYTES + countObjects(bytes) * OID_BYTES);
}

/** The oids of all objects in order. @throws CoregitError `PackInvalid`. */
export function listOids(bytes: Buffer): Oid[] {
  const names = readObjectNames(bytes).toString("hex");
  return Array.from({ length: names.length / HEX }, (_, index) => names.slice(index * HEX, (index + 1) * HEX) as Oid);
}

/** Finds objects by their 20 bytes, without making strings of them. Positions are those of `listOids`. */
export class ObjectPositions {
  readonly #index: Buffer;
  readonly #names: Buffer;

  /** @throws CoregitError `PackInvalid`. */
  constructor(index: Buffer) {
    this.#index = index;
    this.#names = readObjectNames(index);
  }

  has(oid: Oid): boolean {
    return this.positionOf(oid) >= 0;
  }

  /** -1: the pack does not have it. */
  positionOf(oid: Oid): number {
    return this.find(Buffer.from(oid, "hex"), 0);
  }

  /** The position of the object whose oid is at `start` of `bytes`; -1: the pack does not have it. */
  find(bytes: Buffer, start: number): number {
    const first = bytes[start] ?? 0;
    let low = first === 0 ? 0 : this.#countUpTo(first - 1);
    let high = this.#countUpTo(first) - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const order = this.#compare(middle, bytes, start);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /**
   * The oids of `listOids` in the order in which their objects lie in the pack, where those of a kind lie together and git reads the
   * fastest. Beyond 2 GiB, and in packs of more than 131,072 objects, in any order.
   */
  inPackOrder(oids: readonly Oid[]): readonly Oid[] {
    const count = oids.length;
    if (count > MOST_SORTED) return oids;
    const offsets = HEADER_BYTES + count * (OID_BYTES + 4);
    const places = Float64Array.from(oids, (_, position) => this.#index.readUInt32BE(offsets + position * 4) * count + position);
    return Array.from(places.sort(), (place) => oids[place % count] as Oid);
  }

  /** How many objects have that first byte or a smaller one. */
  #countUpTo(byte: number): number {
    return this.#index.readUInt32BE(8 + byte * 4);
  }

  #compare(position: number, bytes: Buffer, start: number): number {
    const name = position * OID_BYTES;
    let at = 0;
    while (at < OID_BYTES - 1 && this.#names[name + at] === bytes[start + at]) at += 1;
    return (this.#names[name + at] ?? 0) - (bytes[start + at] ?? 0);
  }
}

/** The entries of a pack smaller than 2 GiB, in order of oid. @throws CoregitError `PackInvalid`. */
export function readEntries(bytes: Buffer): IndexEntry[] {
  const oids = listOids(bytes);
  const crcs = HEADER_BYTES + oids.length * OID_BYTES;
  const offsets = crcs + oids.length * 4;
  return oids.map((oid, index) => ({
    oid,
    offset: bytes.readUInt32BE(offsets + index * 4),
    crc32: bytes.readUInt32BE(crcs + index * 4),
  }));
}

/** The name of the pack that the index is of: its SHA-1 trailer. @throws CoregitError `PackInvalid`. */
export function packNameIn(bytes: Buffer): string {
  countObjects(bytes);
  return bytes.toString("hex", bytes.length - TRAILER_BYTES, bytes.length - OID_BYTES);
}

function invalid(): CoregitError {
  return new CoregitError("PackInvalid", "A pack's index is malformed.");
}

/** The index of a pack made in process. `entries` are in order of oid; `packChecksum` is the pack's SHA-1 trailer. */
export function encodeIndex(entries: readonly IndexEntry[], packChecksum: Uint8Array): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + entries.length * BYTES_PER_OBJECT + TRAILER_BYTES);
  bytes.writeUInt32BE(MAGIC, 0);
  bytes.writeUInt32BE(VERSION, 4);
  writeFanout(bytes, entries);
  const crcs = HEADER_BYTES + entries.length * OID_BYTES;
  const offsets = crcs + entries.length * 4;
  for (const [index, { oid, offset, crc32 }] of entries.entries()) {
    bytes.write(oid, HEADER_BYTES + index * OID_BYTES, "hex");
    bytes.writeUInt32BE(crc32, crcs + index * 4);
    bytes.writeUInt32BE(offset, offsets + index * 4);
  }
  bytes.set(packChecksum, bytes.length - TRAILER_BYTES);
  bytes.set(hash("sha1", bytes.subarray(0, -OID_BYTES), "buffer"), bytes.length - OID_BYTES);
  return bytes;
}

/** At each first byte: how many objects have that first byte or a smaller one. */
function writeFanout(bytes: Buffer, entries: readonly IndexEntry[]): void {
  let byte = 0;
  for (const [seen, { oid }] of entries.entries()) {
    for (const first = Number.parseInt(oid.slice(0, 2), 16); byte < first; byte += 1) bytes.writeUInt32BE(seen, 8 + byte * 4);
  }
  for (; byte < 256; byte += 1) bytes.writeUInt32BE(entries.length, 8 + byte * 4);
}
