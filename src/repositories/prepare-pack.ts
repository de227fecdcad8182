// Makes a finished pack durable before it is published: small ones will travel in the transaction, large ones go to the
// blob store now. A pack in the blob store that no row names is garbage, collected by age.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BlobStore } from "../blobs/blob-store.ts";
import type { PackSource } from "../db/packs.ts";
import { newRowId } from "../db/row-id.ts";
import type { PackFiles } from "../git/cut-pack.ts";
import { PACK_TRAILER_BYTES } from "../git/pack-header.ts";
import type { WrittenPack } from "../git/pack-writer.ts";
import { digestFile, packKey } from "./pack-fill.ts";
import type { PreparedPack } from "./store.ts";

const READ_BYTES = 1 << 20;

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

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

export type PackDestination = {
  readonly repositoryId: string;
  readonly blobs: BlobStore;
  readonly inlinePackBytes: number;
  readonly source: PackSource;
  readonly signal: AbortSignal;
};

/** A pack in files. When this resolves a large one is durable in the blob store. */
export async function prepareFiles(files: PackFiles, objectCount: number, destination: PackDestination): Promise<PreparedPack> {
  const { signal, source } = destination;
  const [pack, idx] = await Promise.all([digestFile(files.pack, signal), digestFile(files.idx, signal)]);
  if (pack.size <= destination.inlinePackBytes) {
    const bytes = { pack: await readFile(files.pack), idx: await readFile(files.idx) };
    return prepareInline({ name: nameOf(bytes.pack), objectCount, ...bytes }, source);
  }
  const id = newRowId("pack");
  const put = (part: "pack" | "idx", size: number) =>
    destination.blobs.put(
      packKey(destination.repositoryId, id, part),
      createReadStream(files[part], { highWaterMark: READ_BYTES }),
      size,
      signal,
    );
  await Promise.all([put("pack", pack.size), put("idx", idx.size)]);
  return {
    id,
    name: nameOf(await readTail(files.pack, pack.size)),
    source,
    objectCount,
    packSize: pack.size,
    idxSize: idx.size,
    packSha256: pack.sha256,
    idxSha256: idx.sha256,
    inline: null,
  };
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
  return { prepared: await prepareFiles(files, written.objectCount, destination), files };
}

function nameOf(packEnd: Buffer): string {
  return packEnd.subarray(-PACK_TRAILER_BYTES).toString("hex");
}

async function readTail(path: string, size: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { start: size - PACK_TRAILER_BYTES }) as AsyncIterable<Buffer>)
    chunks.push(chunk);
  return Buffer.concat(chunks);
}
