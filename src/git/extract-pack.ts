// A small pack out of one that `concatPacks` made of it and others: its objects stand there in one piece, unless one of them was
// in a pack before it. Where that piece begins nobody wrote down, but the pack's name is its checksum.
import { hash } from "node:crypto";
import type { PackWithIndex } from "./concat-packs.ts";
import { encodePackHeader, PACK_HEADER_BYTES, PACK_TRAILER_BYTES } from "./pack-header.ts";
import { encodeIndex, type IndexEntry, readEntries } from "./pack-index.ts";

export type WantedPack = { readonly name: string; readonly objectCount: number; readonly packSize: number };

/** Null: it is not there in one piece. @throws CoregitError `PackInvalid` when the index of `joined` is none. */
export function extractPack({ pack, idx }: PackWithIndex, wanted: WantedPack): PackWithIndex | null {
  const index = Buffer.from(idx.buffer, idx.byteOffset, idx.byteLength);
  const entries = readEntries(index).sort((a, b) => a.offset - b.offset);
  const size = wanted.packSize - PACK_HEADER_BYTES - PACK_TRAILER_BYTES;
  for (const [first, { offset: start }] of entries.entries()) {
    const after = first + wanted.objectCount;
    const end = entries[after]?.offset ?? pack.length - PACK_TRAILER_BYTES;
    if (after > entries.length || end - start !== size) continue;
    const body = Buffer.concat([encodePackHeader(wanted.objectCount), pack.subarray(start, end)]);
    const checksum = hash("sha1", body, "buffer");
    if (checksum.toString("hex") !== wanted.name) continue;
    const moved = entries.slice(first, after).map((entry) => ({ ...entry, offset: entry.offset - start + PACK_HEADER_BYTES }));
    return { pack: Buffer.concat([body, checksum]), idx: encodeIndex(moved.sort(byOid), checksum) };
  }
  return null;
}

function byOid(a: IndexEntry, b: IndexEntry): number {
  return a.oid < b.oid ? -1 : 1;
}
