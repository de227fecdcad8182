// zlib streams of contents made in process, chosen for the time that they take: git packs everything again when it compacts.
import { promisify } from "node:util";
import { deflate, deflateSync, type ZlibOptions } from "node:zlib";
import type { ObjectType } from "../domain/object-codec.ts";

/** Up to this size a content is stored as it is: making zlib's state takes longer than everything else about such an object. */
const STORED_BYTES = 1024;
/** The same for trees, which hold little but object names and become a quarter smaller at most; one stored block takes no more. */
const STORED_TREE_BYTES = 0xffff;
const SMALL_WINDOW_BITS = 12;
/** Up to this size compressing takes less time than handing the work to another thread. */
const QUICK_BYTES = 16 * 1024;
const deflateLater = promisify<Uint8Array, ZlibOptions, Buffer>(deflate);

export function compress(type: ObjectType, content: Uint8Array): Buffer {
  const storedBytes = type === "tree" ? STORED_TREE_BYTES : STORED_BYTES;
  return content.byteLength <= storedBytes ? store(content) : deflateSync(content, optionsFor(content));
}

/** The same, with larger contents beside the event loop. */
export async function compressLater(type: ObjectType, content: Uint8Array): Promise<Buffer> {
  return content.byteLength <= QUICK_BYTES ? compress(type, content) : await deflateLater(content, optionsFor(content));
}

/** A small window for small contents: most of their time is the making of zlib's buffers. */
function optionsFor(content: Uint8Array): ZlibOptions {
  return content.byteLength <= QUICK_BYTES ? { level: 1, windowBits: SMALL_WINDOW_BITS, memLevel: 5 } : { level: 1 };
}

/** One stored block (RFC 1951, 3.2.4) in a zlib stream (RFC 1950). */
function store(content: Uint8Array): Buffer {
  const size = content.byteLength;
  const bytes = Buffer.allocUnsafe(size + 11);
  bytes.writeUInt16BE(0x7801, 0);
  bytes[2] = 1;
  bytes.writeUInt16LE(size, 3);
  bytes.writeUInt16LE(size ^ 0xffff, 5);
  bytes.set(content, 7);
  bytes.writeUInt32BE(adler32(content), size + 7);
  return bytes;
}

const ADLER_MODULUS = 65_521;
/** As many bytes as can be added before the sums leave 31 bits, in which V8 computes fastest. */
const ADLER_RUN = 2048;

function adler32(content: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (let start = 0; start < content.byteLength; start += ADLER_RUN) {
    const end = Math.min(start + ADLER_RUN, content.byteLength);
    for (let index = start; index < end; index += 1) {
      low += content[index] ?? 0;
      high += low;
    }
    low %= ADLER_MODULUS;
    high %= ADLER_MODULUS;
  }
  return high * 0x10000 + low;
}
