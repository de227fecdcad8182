// A published pack where it is stored, in its row or in the blob store, and what is wrong with it there.
import type { BlobStore } from "../../blobs/blob-store.ts";
import type { Database } from "../../db/database.ts";
import { type LivePack, readInlinePacks } from "../../db/packs.ts";
import { CoregitError } from "../../domain/errors.ts";
import { checkedBytes, type PackPart } from "../checked-bytes.ts";
import { packKey } from "../pack-fill.ts";

export type PackStorage = { readonly database: Database; readonly blobs: BlobStore };

export type StoredPack = LivePack & { readonly repositoryId: string };

/** Reads a part; throws CoregitError `StorageCorrupt` at its end when the bytes are not those that were published, `ObjectMissing` when they are gone. */
export type PartReader = (part: PackPart) => AsyncGenerator<Uint8Array>;

export function storedPackReader(pack: StoredPack, { database, blobs }: PackStorage, signal?: AbortSignal): PartReader {
  const source = (part: PackPart) =>
    pack.isInline ? readInline(database, pack, part) : blobs.get(packKey(pack.repositoryId, pack.id, part), undefined, signal);
  return (part) => checkedBytes(source(part), pack, part);
}

async function* readInline(database: Database, { id }: StoredPack, part: PackPart): AsyncGenerator<Uint8Array> {
  const [inline] = await readInlinePacks(database, [id]);
  if (inline === undefined) throw new CoregitError("ObjectMissing", `Stored pack ${id} is gone.`);
  yield inline[part];
}

/** Reads a part to its end. */
export type PartSink = (bytes: AsyncIterable<Uint8Array>, part: PackPart) => Promise<void>;

/** What is wrong with the stored pack, as a sentence; null: nothing. @throws CoregitError when it cannot be read for another reason. */
export async function findDamage(read: PartReader, sink: PartSink): Promise<string | null> {
  return (await damageOf("data", sink(read("pack"), "pack"))) ?? (await damageOf("index", sink(read("idx"), "idx")));
}

async function damageOf(what: string, reading: Promise<void>): Promise<string | null> {
  try {
    await reading;
    return null;
  } catch (error) {
    if (!(error instanceof CoregitError)) throw error;
    if (error.code === "ObjectMissing") return `Its ${what} is missing.`;
    if (error.code === "StorageCorrupt") return `Its ${what} does not have the bytes that were published.`;
    throw error;
  }
}
