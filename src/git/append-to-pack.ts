// A pack with more objects at its end, as a stream: what git packs of what is stored, and what was made in process.
import { createHash } from "node:crypto";
import { CoregitError } from "../domain/errors.ts";
import { decodePackHeader, encodePackHeader, PACK_HEADER_BYTES, PACK_TRAILER_BYTES } from "./pack-header.ts";
import type { WrittenPack } from "./pack-writer.ts";

/** `source` is a whole pack. @throws CoregitError `PackInvalid` when it is not. */
export async function* appendToPack(source: AsyncIterable<Uint8Array>, added: WrittenPack): AsyncGenerator<Uint8Array> {
  const checksum = createHash("sha1");
  const hashed = (bytes: Buffer): Buffer => {
    checksum.update(bytes);
    return bytes;
  };
  let held = Buffer.alloc(0);
  let isBegun = false;
  for await (const chunk of source) {
    held = Buffer.concat([held, chunk]);
    if (!isBegun && held.length >= PACK_HEADER_BYTES) {
      yield hashed(encodePackHeader(decodePackHeader(held) + added.objectCount));
      held = held.subarray(PACK_HEADER_BYTES);
      isBegun = true;
    }
    // The trailer is known to be one when nothing follows it.
    if (isBegun && held.length > PACK_TRAILER_BYTES) {
      yield hashed(held.subarray(0, -PACK_TRAILER_BYTES));
      held = held.subarray(-PACK_TRAILER_BYTES);
    }
  }
  if (!isBegun || held.length !== PACK_TRAILER_BYTES)
    throw new CoregitError("PackInvalid", "git wrote a pack that is cut short.");
  yield hashed(added.pack.subarray(PACK_HEADER_BYTES, -PACK_TRAILER_BYTES));
  yield checksum.digest();
}
