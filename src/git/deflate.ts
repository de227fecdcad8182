// zlib streams of contents made in process, chosen for the time that they take: git packs everything again when it compacts.
import { promisify } from "node:util";
import { deflate, deflateSync, type ZlibOptions } from "node:zlib";

/**
 * Up to this size a content is stored as it is: making zlib's state takes longer than everything else about such an object,
 * and trees and commits, which most of them are, hold little but object names.
 */
const STORED_BYTES = 1024;
const SMALL_WINDOW_BITS = 12;
/** Up to this size compressing takes less time than handing the work to another thread. */
const QUICK_BYTES = 16 * 1024;
const deflateLater = promisify<Uint8Array, ZlibOptions, Buffer>(deflate);

export function compress(content: Uint8Array): Buffer {
  return content.byteLength <= STORED_BYTES ? store(content) : deflateSync(content, optionsFor(content));
}

/** The same, with larger contents beside the event loop. */
export async function compressLater(content: Uint8Array): Promise<Buffer> {
  return content.byteLength <= QUICK_BYTES ? compress(content) : await deflateLater(content, optionsFor(content));
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

/** For contents so small that the sums fit before they are reduced. */
function adler32(content: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (const byte of content) {
    low += byte;
    high += low;
  }
  return (high % ADLER_MODULUS) * 0x10000 + (low % ADLER_MODULUS);
}
