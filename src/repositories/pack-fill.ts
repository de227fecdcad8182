// Brings one published pack into a local view. Nothing enters a view whose bytes do not have the recorded hash.
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { BlobStore } from "../blobs/blob-store.ts";
import type { Database } from "../db/database.ts";
import { type PackRow, readInlinePack } from "../db/packs.ts";
import { CoregitError } from "../domain/errors.ts";
import type { PackFiles } from "../git/cut-pack.ts";

export type PackPart = "pack" | "idx";

/** Where the blob store has a part of a pack. */
export function packKey(repositoryId: string, packId: string, part: PackPart): string {
  return `${repositoryId}/${packId}.${part}`;
}

/** Where a view has it. */
export function packPath(directory: string, name: string, part: PackPart): string {
  return join(directory, "objects", "pack", `pack-${name}.${part}`);
}

/** Moves a complete pack into a view. git looks for indexes, so that comes last. */
export async function placePack(directory: string, name: string, files: PackFiles): Promise<void> {
  await rename(files.pack, packPath(directory, name, "pack"));
  await rename(files.idx, packPath(directory, name, "idx"));
}

type FillSource = { readonly database: Database; readonly blobs: BlobStore };
type FillTarget = {
  readonly directory: string;
  readonly repositoryId: string;
  /** For the files on their way, in the same file system; the caller removes it. */
  readonly workFolder: string;
};

/** @throws CoregitError `StorageCorrupt` when the bytes are not those that were published; `ObjectMissing` when they are gone. */
export async function fillPack(pack: PackRow, source: FillSource, target: FillTarget): Promise<void> {
  const inline = await readInlinePack(source.database, pack.id);
  const bytes = (part: PackPart) =>
    inline === null ? source.blobs.get(packKey(target.repositoryId, pack.id, part)) : [inline[part]];
  const files = { pack: join(target.workFolder, `${pack.id}.pack`), idx: join(target.workFolder, `${pack.id}.idx`) };
  await writeChecked(files.pack, bytes("pack"), { size: pack.packSize, sha256: pack.packSha256, packId: pack.id });
  await writeChecked(files.idx, bytes("idx"), { size: pack.idxSize, sha256: pack.idxSha256, packId: pack.id });
  await placePack(target.directory, pack.name, files);
}

type Expected = { readonly size: number; readonly sha256: Uint8Array; readonly packId: string };

async function writeChecked(
  path: string,
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  expected: Expected,
): Promise<void> {
  const hash = createHash("sha256");
  let size = 0;
  async function* observed() {
    for await (const chunk of source) {
      hash.update(chunk);
      size += chunk.byteLength;
      yield chunk;
    }
  }
  await pipeline(observed(), createWriteStream(path));
  if (size !== expected.size || !hash.digest().equals(expected.sha256)) {
    const details = { pack: expected.packId };
    throw new CoregitError("StorageCorrupt", `Stored pack ${expected.packId} does not have the bytes that were published.`, {
      details,
    });
  }
}
