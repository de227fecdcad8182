// Packs of a few objects made in process: whole objects, no deltas, in the order given.
import { createHash } from "node:crypto";
import { crc32, deflateSync } from "node:zlib";
import type { NewObject, ObjectType } from "../domain/object-codec.ts";
import { encodePackHeader } from "./pack-header.ts";
import { encodeIndex, type IndexEntry } from "./pack-index.ts";

const TYPE_NUMBER: Readonly<Record<ObjectType, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 };

export type WrittenPack = {
  /** The pack's SHA-1 trailer in hex, as in `pack-<name>.pack`. */
  readonly name: string;
  readonly objectCount: number;
  readonly pack: Buffer;
  readonly idx: Buffer;
};

/** An object given twice is written once. The same objects in the same order give the same bytes. */
export function writePack(objects: readonly NewObject[]): WrittenPack {
  const distinct = [...new Map(objects.map((object) => [object.oid, object])).values()];
  const parts: Buffer[] = [encodePackHeader(distinct.length)];
  const entries: IndexEntry[] = [];
  let offset = parts[0]?.length ?? 0;
  for (const { oid, type, content } of distinct) {
    const entry = Buffer.concat([entryHeader(type, content.byteLength), deflateSync(content)]);
    entries.push({ oid, offset, crc32: crc32(entry) });
    parts.push(entry);
    offset += entry.length;
  }
  const body = Buffer.concat(parts);
  const checksum = createHash("sha1").update(body).digest();
  return {
    name: checksum.toString("hex"),
    objectCount: distinct.length,
    pack: Buffer.concat([body, checksum]),
    idx: encodeIndex(
      entries.toSorted((a, b) => (a.oid < b.oid ? -1 : 1)),
      checksum,
    ),
  };
}

/** Type and inflated size: four bits of size in the first byte, then seven a byte, lowest first. */
function entryHeader(type: ObjectType, size: number): Buffer {
  const bytes = [(TYPE_NUMBER[type] << 4) | (size & 0x0f)];
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push((bytes.pop() ?? 0) | 0x80, rest & 0x7f);
  }
  return Buffer.from(bytes);
}
