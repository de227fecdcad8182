// Reads a small pack in process, all of it: for some objects that takes less than to start a process which reads them.
// git has judged the pack before: what is not as it should be, or is large once inflated, is left to git.
import { inflateSync } from "node:zlib";
import type { ObjectType } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import type { StoredObject } from "./cat-file.ts";
import { applyDelta, deltaSizes } from "./delta.ts";
import { PACK_TRAILER_BYTES } from "./pack-header.ts";
import { readEntries } from "./pack-index.ts";

/** What is read here takes some milliseconds at most. */
const MAX_OBJECTS = 1_000;
const MAX_PACK_BYTES = 512 * 1024;
const MAX_INFLATED_BYTES = 4 * 1024 * 1024;

const TYPES: readonly (ObjectType | null)[] = [null, "commit", "tree", "blob", "tag"];
const OFS_DELTA = 6;
const REF_DELTA = 7;
const OID_BYTES = 20;

export type PackedObjects = ReadonlyMap<Oid, StoredObject>;

/** Whether it is worth a try. */
export function isSmallPack(pack: { readonly objects: number; readonly bytes: number }): boolean {
  return pack.objects <= MAX_OBJECTS && pack.bytes <= MAX_PACK_BYTES;
}

/** All objects of a small pack that git has judged and that is complete in itself; null: git is to read them. */
export function readSmallPack(pack: Buffer, index: Buffer): PackedObjects | null {
  try {
    return new SmallPack(pack, index).readAll();
  } catch (error) {
    if (error instanceof Unreadable || (error instanceof Error && "code" in error)) return null;
    throw error;
  }
}

/** Ends the reading: git's way is another. */
class Unreadable extends Error {}

type Content = { readonly type: ObjectType; readonly content: Buffer };

class SmallPack {
  readonly #pack: Buffer;
  /** Where each object begins, and where it ends. */
  readonly #ends = new Map<number, number>();
  readonly #offsets = new Map<string, number>();
  readonly #read = new Map<number, Content>();
  #inflatedBytes = 0;

  constructor(pack: Buffer, index: Buffer) {
    this.#pack = pack;
    for (const { oid, offset } of readEntries(index)) this.#offsets.set(oid, offset);
    const starts = [...this.#offsets.values()].sort((a, b) => a - b);
    for (const [at, start] of starts.entries()) this.#ends.set(start, starts[at + 1] ?? pack.length - PACK_TRAILER_BYTES);
  }

  readAll(): PackedObjects {
    // From the beginning, so that nearly every base has been read before what builds on it.
    const inOrder = [...this.#offsets].sort((a, b) => a[1] - b[1]);
    return new Map(
      inOrder.map(([name, offset]) => {
        const oid = name as Oid;
        const { type, content } = this.#at(offset);
        return [oid, { oid, type, size: content.length, content }];
      }),
    );
  }

  #at(offset: number): Content {
    const known = this.#read.get(offset);
    if (known !== undefined) return known;
    const read = this.#readEntry(offset);
    this.#read.set(offset, read);
    return read;
  }

  #readEntry(offset: number): Content {
    const end = this.#ends.get(offset);
    if (end === undefined) throw new Unreadable();
    const { kind, size, next } = readHeader(this.#pack, offset);
    const type = TYPES[kind];
    if (type !== undefined && type !== null) return { type, content: this.#inflate(next, end, size) };
    const { base, at } = this.#readBase(kind, offset, next);
    const delta = this.#inflate(at, end, size);
    const { type: baseType, content } = this.#at(base);
    this.#take(deltaSizes(delta).result);
    const applied = applyDelta(content, delta);
    if (applied === null) throw new Unreadable();
    return { type: baseType, content: applied };
  }

  /** Where the base of a delta is, and where the delta begins. */
  #readBase(kind: number, offset: number, next: number): { readonly base: number; readonly at: number } {
    if (kind === OFS_DELTA) {
      const { distance, at } = readDistance(this.#pack, next);
      return { base: offset - distance, at };
    }
    const base = this.#offsets.get(this.#pack.toString("hex", next, next + OID_BYTES));
    if (kind !== REF_DELTA || base === undefined) throw new Unreadable();
    return { base, at: next + OID_BYTES };
  }

  #inflate(start: number, end: number, size: number): Buffer {
    this.#take(size);
    const content = inflateSync(this.#pack.subarray(start, end), { maxOutputLength: Math.max(size, 1) });
    if (content.length !== size) throw new Unreadable();
    return content;
  }

  #take(bytes: number): void {
    this.#inflatedBytes += bytes;
    if (this.#inflatedBytes > MAX_INFLATED_BYTES) throw new Unreadable();
  }
}

type Header = { readonly kind: number; readonly size: number; readonly next: number };

/** Type and size of an entry: 4 bits of the size and then 7 in each byte. */
function readHeader(pack: Buffer, offset: number): Header {
  let at = offset;
  let byte = pack[at] ?? 0;
  const kind = (byte >> 4) & 7;
  let size = byte & 0x0f;
  for (let scale = 16; byte >= 0x80; scale *= 128) {
    at += 1;
    byte = pack[at] ?? 0;
    size += (byte & 0x7f) * scale;
  }
  return { kind, size, next: at + 1 };
}

/** How far before a delta its base begins: 7 bits in each byte, the first ones first, and one more for each further byte. */
function readDistance(pack: Buffer, offset: number): { readonly distance: number; readonly at: number } {
  let at = offset;
  let byte = pack[at] ?? 0;
  let distance = byte & 0x7f;
  while (byte >= 0x80) {
    at += 1;
    byte = pack[at] ?? 0;
    distance = (distance + 1) * 128 + (byte & 0x7f);
  }
  return { distance, at: at + 1 };
}
