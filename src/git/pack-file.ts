// A finished pack in files, on its way to be stored: whole, as git judged it, or without some of its objects.
import { open, stat } from "node:fs/promises";
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import { type PackFiles, type PackingPlace, packOids } from "./pack-objects.ts";

export type { PackFiles } from "./pack-objects.ts";

/** Small, so that the allocator uses again what a push's own chunks have left: 1 MiB made a push of 160 MB cost 20 MB more memory. */
const READ_BYTES = 1 << 17;

/** Large, so its bytes are read once and everything is done with them then. */
export type PackBytes = {
  readonly size: number;
  /** The pack's bytes in order. */
  read(): AsyncGenerator<Buffer>;
  readonly files: PackFiles;
};

/** The pack without `dropped`. git packs what is left again, taking over its deltas. */
export async function packWithout(
  dropped: ReadonlySet<Oid>,
  from: { readonly files: PackFiles; readonly oids: readonly Oid[] },
  place: PackingPlace,
): Promise<PackBytes> {
  if (dropped.size === 0) return await wholePack(from.files, place.signal);
  const kept = from.oids.filter((oid) => !dropped.has(oid));
  return await wholePack(await packOids(kept, place), place.signal);
}

/** A pack that is in files already. */
export async function wholePack(files: PackFiles, signal: AbortSignal): Promise<PackBytes> {
  const { size } = await stat(files.pack);
  return { size, files, read: () => readWhole(files.pack, size, signal) };
}

async function* readWhole(path: string, size: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  await using file = await open(path, "r");
  for (let position = 0; position < size; ) {
    signal.throwIfAborted();
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, size - position));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) throw new CoregitError("ObjectMissing", "A pack in quarantine became shorter.");
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}
