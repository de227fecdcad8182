// Takes one commit out of a pack while the pack streams by. A server begins a pack with the commits, so the commit of a
// depth-1 fetch is the first object; what follows stays as it is, since a delta names its base by distance. The pack that
// git then judges is, byte for byte, the one that is stored.
import { createHash, type Hash } from "node:crypto";
import { inflateSync } from "node:zlib";
import { CoregitError } from "../domain/errors.ts";
import { objectId } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import { decodePackHeader, encodePackHeader, PACK_HEADER_BYTES, PACK_TRAILER_BYTES } from "./pack-header.ts";

/** Commits beyond this stay in the pack. git itself does not limit them; what people write has a few hundred bytes. */
const MAX_COMMIT_BYTES = 256 * 1024;
/** The longest type and size of an object of that size: 4 bits and 7 bits a byte. */
const MAX_ENTRY_HEADER_BYTES = 3;
const COMMIT_TYPE = 1;

export type LiftedCommit = { readonly oid: Oid; readonly content: Buffer };

/** What zlib answers with `info`: the content, and how much it took to make it. */
type Inflated = { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };

type Entry = { readonly content: Buffer; readonly end: number };

export class CommitLift implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #oid: Oid;
  readonly #found = Promise.withResolvers<LiftedCommit | null>();

  constructor(source: AsyncIterable<Uint8Array>, oid: Oid) {
    this.#source = source;
    this.#oid = oid;
  }

  /**
   * The commit, as soon as it has been seen; null when the pack does not begin with it, or holds nothing else, and then
   * passes unchanged. Settled when the iteration is over, however it ends.
   */
  get lifted(): Promise<LiftedCommit | null> {
    return this.#found.promise;
  }

  /** @throws CoregitError `PackInvalid` when the pack does not have the checksum that it says. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const chunks = this.#source[Symbol.asyncIterator]();
    try {
      const head = await readHead(chunks);
      const entry = findCommit(head, this.#oid);
      this.#found.resolve(entry === null ? null : { oid: this.#oid, content: entry.content });
      if (entry === null) yield* resumed(head, chunks);
      else yield* shortened(head, entry.end, chunks);
    } finally {
      this.#found.resolve(null);
      await chunks.return?.();
    }
  }
}

/** Enough of the pack to hold its first object when that is a commit within the limit, or all of a shorter pack. */
async function readHead(chunks: AsyncIterator<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  let wanted = PACK_HEADER_BYTES + MAX_ENTRY_HEADER_BYTES;
  while (bytes < wanted) {
    const next = await chunks.next();
    if (next.done === true) break;
    parts.push(next.value);
    bytes += next.value.byteLength;
    if (bytes >= wanted) wanted = firstObjectBytes(Buffer.concat(parts));
  }
  return Buffer.concat(parts);
}

/** How much of the pack has to be there to read its first object; nothing more when that is not to be lifted. */
function firstObjectBytes(head: Buffer): number {
  const start = decodePackHeader(head) < 2 ? null : readEntryHeader(head);
  return start === null ? 0 : start.offset + deflatedBound(start.size);
}

/** zlib's own bound of what deflating makes of `bytes` (compressBound). */
function deflatedBound(bytes: number): number {
  return bytes + (bytes >> 12) + (bytes >> 14) + (bytes >> 25) + 13;
}

/** Where the content of a first object begins that is a commit within the limit. */
function readEntryHeader(head: Buffer): { readonly offset: number; readonly size: number } | null {
  const bytes = head.subarray(PACK_HEADER_BYTES, PACK_HEADER_BYTES + MAX_ENTRY_HEADER_BYTES);
  const last = bytes.findIndex((byte) => byte < 0x80);
  const first = bytes[0] ?? 0;
  if (last < 0 || ((first >> 4) & 7) !== COMMIT_TYPE) return null;
  const size = bytes.subarray(1, last + 1).reduce((sum, byte, index) => sum | ((byte & 0x7f) << (4 + 7 * index)), first & 0x0f);
  return size > MAX_COMMIT_BYTES ? null : { offset: PACK_HEADER_BYTES + last + 1, size };
}

function findCommit(head: Buffer, oid: Oid): Entry | null {
  if (head.length < PACK_HEADER_BYTES + MAX_ENTRY_HEADER_BYTES || decodePackHeader(head) < 2) return null;
  const start = readEntryHeader(head);
  const entry = start && inflateEntry(head, start);
  return entry !== null && objectId("commit", entry.content) === oid ? entry : null;
}

/** Null: no such zlib stream, which is for git to say. */
function inflateEntry(head: Buffer, { offset, size }: { readonly offset: number; readonly size: number }): Entry | null {
  try {
    const options = { maxOutputLength: Math.max(size, 1), info: true };
    const { buffer, engine } = inflateSync(head.subarray(offset), options) as unknown as Inflated;
    return buffer.length === size ? { content: buffer, end: offset + engine.bytesWritten } : null;
  } catch {
    return null;
  }
}

async function* resumed(head: Buffer, chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
}

/** The pack without what stands between its header and `end`, with the checksum that this has. */
async function* shortened(head: Buffer, end: number, chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const before = createHash("sha1").update(head.subarray(0, end));
  const after = createHash("sha1");
  const header = encodePackHeader(decodePackHeader(head) - 1);
  after.update(header);
  yield header;
  let tail: Buffer = Buffer.alloc(0);
  for await (const chunk of resumed(head.subarray(end), chunks)) {
    const bytes =
      tail.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([tail, chunk]);
    const objects = bytes.subarray(0, Math.max(0, bytes.length - PACK_TRAILER_BYTES));
    // A copy, so that the chunk is not held for it.
    tail = Buffer.from(bytes.subarray(objects.length));
    if (objects.length === 0) continue;
    before.update(objects);
    after.update(objects);
    yield objects;
  }
  checkTrailer(before, tail);
  yield after.digest();
}

function checkTrailer(checksum: Hash, trailer: Buffer): void {
  if (checksum.digest().equals(trailer)) return;
  throw new CoregitError("PackInvalid", "The pack is truncated or corrupt: its checksum is another one.");
}
