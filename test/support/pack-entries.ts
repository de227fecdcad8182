// Packs made by hand, of entries as gitformat-pack has them.
import { hash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { encodePackHeader } from "../../src/git/pack-header.ts";

export const REF_DELTA = 7;

/** A pack with the right checksum of entries that nobody checked. */
export function packOfEntries(entries: readonly Buffer[]): Buffer {
  const body = Buffer.concat([encodePackHeader(entries.length), ...entries]);
  return Buffer.concat([body, hash("sha1", body, "buffer")]);
}

/** One object, or one delta on `base`. */
export function packEntry(type: number, content: Buffer, base: Buffer = Buffer.alloc(0)): Buffer {
  const rest = Math.floor(content.length / 16);
  const first = Buffer.from([(rest > 0 ? 0x80 : 0) | (type << 4) | (content.length & 15)]);
  return Buffer.concat([first, ...(rest > 0 ? [varint(rest)] : []), base, deflateSync(content)]);
}

/** 7 bits in each byte, the last ones first. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    const isLast = rest < 128;
    bytes.push((isLast ? 0 : 0x80) | (rest & 127));
    if (isLast) return Buffer.from(bytes);
  }
}
