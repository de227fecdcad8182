// Makes a finished pack durable before it is published: small ones will travel in the transaction, large ones go to the
// blob store now. A pack in the blob store that no row names is garbage, collected by age.
import { hash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { BlobStore } from "../blobs/blob-store.ts";
import type { PackSource } from "../db/packs.ts";
import { newRowId } from "../db/row-id.ts";
import { type PackFile, type PackFiles, wholePack } from "../git/pack-file.ts";
import { packNameIn } from "../git/pack-index.ts";
import type { WrittenPack } from "../git/pack-writer.ts";
import { packKey } from "./pack-fill.ts";
import type { PreparedPack } from "./store.ts";

/** A pack made in process, as it travels in the transaction. */
export function prepareInline(written: WrittenPack, source: PackSource): PreparedPack {
  return {
    id: newRowId("pack"),
    name: written.name,
    source,
    objectCount: written.objectCount,
    packSize: written.pack.length,
    idxSize: written.idx.length,
    packSha256: sha256(written.pack),
    idxSha256: sha256(written.idx),
    inline: { pack: written.pack, idx: written.idx },
  };
}

/** A pack made in process. When this resolves a large one is durable in the blob store. */
export async function prepareMade(written: WrittenPack, destination: PackDestination): Promise<PreparedPack> {
  const prepared = prepareInline(written, destination.source);
  if (written.pack.length <= destination.inlinePackBytes) return prepared;
  const { blobs, repositoryId, signal } = destination;
  const put = (part: "pack" | "idx") =>
    blobs.put(packKey(repositoryId, prepared.id, part), Readable.from([written[part]]), written[part].length, signal);
  await Promise.all([put("pack"), put("idx")]);
  return { ...prepared, inline: null };
}

function sha256(bytes: Uint8Array): Buffer {
  return hash("sha256", bytes, "buffer");
}

export type PackDestination = {
  readonly repositoryId: string;
  readonly blobs: BlobStore;
  readonly inlinePackBytes: number;
  readonly source: PackSource;
  readonly signal: AbortSignal;
};

/**
 * A finished pack. When this resolves a large one is durable in the blob store; when it throws nothing is left there, unless
 * the store cannot be reached.
 */
export async function preparePack(pack: PackFile, objectCount: number, destination: PackDestination): Promise<PreparedPack> {
  const { signal, source, blobs, repositoryId } = destination;
  const { files, size: packSize, sha256: packSha256 } = pack;
  const idx = await readFile(files.idx);
  const name = packNameIn(idx);
  if (packSize <= destination.inlinePackBytes)
    return prepareInline({ name, objectCount, pack: await readFile(files.pack), idx }, source);
  const id = newRowId("pack");
  const sizes = { pack: packSize, idx: idx.length };
  const parts = ["pack", "idx"] as const;
  const puts = await Promise.allSettled(
    parts.map((part) => blobs.putFile(packKey(repositoryId, id, part), files[part], sizes[part], signal)),
  );
  const failed = puts.find((put) => put.status === "rejected");
  if (failed !== undefined) {
    await removeBlobs(blobs, repositoryId, id);
    throw failed.reason;
  }
  return { id, name, source, objectCount, packSize, idxSize: idx.length, packSha256, idxSha256: sha256(idx), inline: null };
}

/** Takes back what the blob store has of a pack that is not published. Never throws: what stays is collected by age. */
export async function removeBlobs(blobs: BlobStore, repositoryId: string, packId: string): Promise<void> {
  const keys = (["pack", "idx"] as const).map((part) => packKey(repositoryId, packId, part));
  await Promise.allSettled(keys.map((key) => blobs.delete(key)));
}

/** A pack made in process, inline or, when it is large, by way of files in `folder`. */
export async function prepareWritten(
  written: WrittenPack,
  folder: string,
  destination: PackDestination,
): Promise<{ readonly prepared: PreparedPack; readonly files: PackFiles }> {
  const files = { pack: join(folder, `made-${written.name}.pack`), idx: join(folder, `made-${written.name}.idx`) };
  await writeFile(files.pack, written.pack);
  await writeFile(files.idx, written.idx);
  const pack = await wholePack(files, destination.signal);
  return { prepared: await preparePack(pack, written.objectCount, destination), files };
}
