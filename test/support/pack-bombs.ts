// Small packs that unfold to very much.
import { hash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { objectId } from "../../src/domain/object-codec.ts";
import { encodePackHeader } from "../../src/git/pack-header.ts";

type Bomb = { readonly pack: Buffer; readonly blob: string };

/** The most that one instruction of a delta copies. */
const COPIED_BYTES = 0xffffff;
const COPY_ALL = Buffer.from([0xf0, 0xff, 0xff, 0xff]);
const BLOB = 3;
const REF_DELTA = 7;

/** One blob of 64 MiB in some 64 KB. */
export function zlibBomb(): Bomb {
  const content = Buffer.alloc(64 * 1024 * 1024);
  return { pack: packOf([entry(BLOB, content)]), blob: objectId("blob", content) };
}

/** `count` blobs that each copy one of 16 MiB `copies` times, in some 20 KB and 40 bytes each. */
export function deltaBomb(count: number, copies: number): Bomb {
  const base = Buffer.alloc(COPIED_BYTES);
  const blob = objectId("blob", base);
  const deltas = Array.from({ length: count }, (_, index) => {
    const own = Buffer.from(String(index));
    const sizes = [varint(COPIED_BYTES), varint(COPIED_BYTES * copies + own.length)];
    const delta = Buffer.concat([...sizes, ...Array(copies).fill(COPY_ALL), Buffer.from([own.length]), own]);
    return entry(REF_DELTA, delta, Buffer.from(blob, "hex"));
  });
  return { pack: packOf([entry(BLOB, base), ...deltas]), blob };
}

function packOf(entries: readonly Buffer[]): Buffer {
  const body = Buffer.concat([encodePackHeader(entries.length), ...entries]);
  return Buffer.concat([body, hash("sha1", body, "buffer")]);
}

/** `base`: what a delta builds on. */
function entry(type: number, content: Buffer, base: Buffer = Buffer.alloc(0)): Buffer {
  const rest = Math.floor(content.length / 16);
  const first = Buffer.from([(rest > 0 ? 0x80 : 0) | (type << 4) | (content.length & 15)]);
  return Buffer.concat([first, ...(rest > 0 ? [varint(rest)] : []), base, deflateSync(content)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    const isLast = rest < 128;
    bytes.push((isLast ? 0 : 0x80) | (rest & 127));
    if (isLast) return Buffer.from(bytes);
  }
}
