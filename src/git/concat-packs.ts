// Many small packs as one, in process: their objects as they stand, one pack after the other. git opens and searches packs
// one by one, so that one of a thousand costs it less than a thousand of one. Nothing is inflated, and no delta is changed:
// one by distance keeps its distance as long as its pack is copied whole, one by oid finds its base wherever it is.
import { hash } from "node:crypto";
import type { Oid } from "../domain/oid.ts";
import { encodePackHeader, PACK_HEADER_BYTES, PACK_TRAILER_BYTES } from "./pack-header.ts";
import { encodeIndex, type IndexEntry, readEntries } from "./pack-index.ts";
import type { WrittenPack } from "./pack-writer.ts";

export type PackWithIndex = { readonly pack: Uint8Array; readonly idx: Uint8Array };

const OFS_DELTA = 6;

export type Concatenation<T> = {
  readonly joined: WrittenPack;
  /** Packs that cannot be part of it: they have an object that is there already, and deltas that count the bytes between. */
  readonly apart: readonly T[];
};

/** Packs of less than 2 GiB together, each complete in itself. An object that several have is taken once. */
export function concatPacks<T extends PackWithIndex>(packs: readonly T[]): Concatenation<T> {
  const entries: IndexEntry[] = [];
  const seen = new Set<Oid>();
  const parts: Uint8Array[] = [];
  const apart: T[] = [];
  let end = PACK_HEADER_BYTES;
  for (const pack of packs) {
    const objects = objectsOf(pack);
    const fresh = objects.filter(({ entry }) => !seen.has(entry.oid));
    if (fresh.length < objects.length && objects.some(({ bytes }) => typeOf(bytes) === OFS_DELTA)) {
      apart.push(pack);
      continue;
    }
    for (const { entry, bytes } of fresh) {
      entries.push({ ...entry, offset: end });
      seen.add(entry.oid);
      parts.push(bytes);
      end += bytes.length;
    }
  }
  const body = Buffer.concat([encodePackHeader(entries.length), ...parts]);
  const checksum = hash("sha1", body, "buffer");
  const idx = encodeIndex(
    entries.sort((a, b) => (a.oid < b.oid ? -1 : 1)),
    checksum,
  );
  const pack = Buffer.concat([body, checksum]);
  return { joined: { name: checksum.toString("hex"), objectCount: entries.length, pack, idx }, apart };
}

/** In the order in which they stand. */
function objectsOf({ pack, idx }: PackWithIndex): { readonly entry: IndexEntry; readonly bytes: Uint8Array }[] {
  const entries = readEntries(asBuffer(idx)).sort((a, b) => a.offset - b.offset);
  const endOf = (index: number) => entries[index + 1]?.offset ?? pack.length - PACK_TRAILER_BYTES;
  return entries.map((entry, index) => ({ entry, bytes: pack.subarray(entry.offset, endOf(index)) }));
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function typeOf(bytes: Uint8Array): number {
  return ((bytes[0] ?? 0) >> 4) & 7;
}
