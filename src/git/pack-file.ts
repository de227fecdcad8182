// A finished pack in files, on its way to be stored: whole, as git judged it, or without some of its objects.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Oid } from "../domain/oid.ts";
import { type PackFiles, type PackingPlace, packOids } from "./pack-objects.ts";

export type { PackFiles } from "./pack-objects.ts";

/** A pack in files with what is known of its bytes. */
export type PackFile = {
  readonly files: PackFiles;
  /** Of the pack in bytes. */
  readonly size: number;
  readonly sha256: Buffer;
};

/** The pack without `dropped`. git packs what is left again, taking over its deltas. */
export async function packWithout(
  dropped: ReadonlySet<Oid>,
  from: PackFile & { readonly oids: readonly Oid[] },
  place: PackingPlace,
): Promise<PackFile> {
  if (dropped.size === 0) return from;
  const kept = from.oids.filter((oid) => !dropped.has(oid));
  return await wholePack(await packOids(kept, place), place.signal);
}

/** A pack that is in files already. */
export async function wholePack(files: PackFiles, signal: AbortSignal): Promise<PackFile> {
  const { size } = await stat(files.pack);
  const digest = createHash("sha256");
  for await (const chunk of createReadStream(files.pack)) {
    signal.throwIfAborted();
    digest.update(chunk);
  }
  return { files, size, sha256: digest.digest() };
}
