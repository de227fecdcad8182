// Small packs that unfold to very much.
import { objectId } from "../../src/domain/object-codec.ts";
import { packEntry as entry, packOfEntries as packOf, REF_DELTA, varint } from "./pack-entries.ts";

type Bomb = { readonly pack: Buffer; readonly blob: string };

/** The most that one instruction of a delta copies. */
const COPIED_BYTES = 0xffffff;
const COPY_ALL = Buffer.from([0xf0, 0xff, 0xff, 0xff]);
const BLOB = 3;

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
