// The bytes of a part of a published pack, with the certainty that they are those that were published.
import { createHash } from "node:crypto";
import type { PackRow } from "../db/packs.ts";
import { CoregitError } from "../domain/errors.ts";

export type PackPart = "pack" | "idx";

/** Passes the bytes on. @throws CoregitError `StorageCorrupt` at their end when they are not those that were published. */
export async function* checkedBytes(
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  pack: PackRow,
  part: PackPart,
): AsyncGenerator<Uint8Array> {
  const digest = createHash("sha256");
  for await (const chunk of source) {
    digest.update(chunk);
    yield chunk;
  }
  checkHash(digest.digest(), pack, part);
}

/** Takes the SHA-256 of the bytes. @throws CoregitError `StorageCorrupt`. */
export function checkHash(sha256: Buffer, pack: PackRow, part: PackPart): void {
  if (sha256.equals(part === "pack" ? pack.packSha256 : pack.idxSha256)) return;
  const details = { pack: pack.id };
  throw new CoregitError("StorageCorrupt", `Stored pack ${pack.id} does not have the bytes that were published.`, { details });
}
