// Packs of a few objects made in process: whole objects, no deltas, in the order given. Written for speed: what is made
// here is packed again by git when a repository is compacted.
import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { NewObject, ObjectType } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import { compress, compressLater } from "./deflate.ts";
import { encodePackHeader, PACK_HEADER_BYTES, PACK_TRAILER_BYTES } from "./pack-header.ts";
import { encodeIndex, type IndexEntry } from "./pack-index.ts";

const TYPE_NUMBER: Readonly<Record<ObjectType, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 };

export type WrittenPack = {
  /** The pack's SHA-1 trailer in hex, as in `pack-<name>.pack`. */
  readonly name: string;
  readonly objectCount: number;
  readonly pack: Buffer;
  readonly idx: Buffer;
};

/** An object as it stands in a pack: its header and its compressed content. */
type PackedObject = { readonly oid: Oid; readonly header: Buffer; readonly deflated: Buffer };

/** An object given twice is written once. The same objects in the same order give the same bytes. */
export function writePack(objects: readonly NewObject[]): WrittenPack {
  return joinPack(distinct(objects).map((object) => packed(object, compress(object.type, object.content))));
}

/** The same; larger contents are compressed beside the event loop. */
export async function writeLargePack(objects: readonly NewObject[]): Promise<WrittenPack> {
  return joinPack(
    await Promise.all(distinct(objects).map(async (object) => packed(object, await compressLater(object.type, object.content)))),
  );
}

function distinct(objects: readonly NewObject[]): NewObject[] {
  return [...new Map(objects.map((object) => [object.oid, object])).values()];
}

function packed({ oid, type, content }: NewObject, deflated: Buffer): PackedObject {
  return { oid, header: entryHeader(type, content.byteLength), deflated };
}

/** Everything is copied once, to where it stays. */
function joinPack(objects: readonly PackedObject[]): WrittenPack {
  const size = objects.reduce((sum, { header, deflated }) => sum + header.length + deflated.length, PACK_HEADER_BYTES);
  const pack = Buffer.allocUnsafeSlow(size + PACK_TRAILER_BYTES);
  pack.set(encodePackHeader(objects.length));
  const entries: IndexEntry[] = [];
  let offset = PACK_HEADER_BYTES;
  for (const { oid, header, deflated } of objects) {
    pack.set(header, offset);
    pack.set(deflated, offset + header.length);
    const end = offset + header.length + deflated.length;
    entries.push({ oid, offset, crc32: crc32(pack.subarray(offset, end)) });
    offset = end;
  }
  const checksum = hash("sha1", pack.subarray(0, size), "buffer");
  pack.set(checksum, size);
  const sorted = entries.sort((a, b) => (a.oid < b.oid ? -1 : 1));
  return { name: checksum.toString("hex"), objectCount: objects.length, pack, idx: encodeIndex(sorted, checksum) };
}

/** Type and inflated size: four bits of size in the first byte, then seven a byte, lowest first. */
function entryHeader(type: ObjectType, size: number): Buffer {
  const bytes = [(TYPE_NUMBER[type] << 4) | (size & 0x0f)];
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push((bytes.pop() ?? 0) | 0x80, rest & 0x7f);
  }
  return Buffer.from(bytes);
}
