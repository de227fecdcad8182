// A damaged pack, replaced by what a local view has of it, if those are the bytes that were published: their SHA-256 is the
// proof. Blobs are written once, so the copy gets an id of its own; it is read back, and then takes the place of the damaged
// pack in one transaction. Nothing is deleted: the damaged pack is retired as one that was compacted. Ended at any instant
// before the commit, this leaves an orphan and the repository as it was.
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Database } from "../../db/database.ts";
import type { CheckedPack } from "../../db/pack-checks.ts";
import { insertPack, type NewPack } from "../../db/packs.ts";
import { advanceVersion, keepRepository } from "../../db/repositories.ts";
import { retirePack } from "../../db/retired-packs.ts";
import { newRowId } from "../../db/row-id.ts";
import { CoregitError } from "../../domain/errors.ts";
import type { PackWithIndex } from "../../git/concat-packs.ts";
import { extractPack } from "../../git/extract-pack.ts";
import { checkedBytes, type PackPart } from "../checked-bytes.ts";
import { packKey, packPath } from "../pack-fill.ts";
import { findPlaced } from "../placed-packs.ts";
import { type PackStorage, storedPackReader } from "./stored-pack.ts";

type RepairPlace = PackStorage & { readonly cacheDir: string };
type PartSource = (part: PackPart) => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** The id of the copy; null: no view here has the right bytes, or the pack is not live any more. */
export async function repairPack(pack: CheckedPack, place: RepairPlace): Promise<string | null> {
  const view = join(place.cacheDir, "views", pack.repositoryId);
  const file: PartSource = (part) => createReadStream(packPath(view, pack.name, part));
  const id = newRowId("pack");
  if (!pack.isInline) {
    if (!(await isSound(pack, file))) return null;
    await storeCopy({ ...pack, id }, file, place);
    return (await replace(pack, { ...pack, id, inline: null }, place.database)) ? id : null;
  }
  const isWhole = async (found: PackWithIndex | null) => found !== null && (await isSound(pack, (part) => [found[part]]));
  const own = await readParts(file);
  const inline = (await isWhole(own)) ? own : await readJoined(pack, view);
  if (inline === null || !(await isWhole(inline))) return null;
  return (await replace(pack, { ...pack, id, inline }, place.database)) ? id : null;
}

/** A small pack from among others in one file of the view. */
async function readJoined(pack: CheckedPack, view: string): Promise<PackWithIndex | null> {
  const name = (await findPlaced(view)).get(pack.name);
  if (name === undefined || name === pack.name) return null;
  const joined = await readParts((part) => createReadStream(packPath(view, name, part)));
  return joined && extractPack(joined, pack);
}

/** Whether the bytes of both parts are there and those that were published. */
async function isSound(pack: CheckedPack, source: PartSource): Promise<boolean> {
  const drain = async (part: PackPart) => {
    for await (const _ of checkedBytes(source(part), pack, part));
  };
  try {
    await drain("pack");
    await drain("idx");
    return true;
  } catch (error) {
    if (isAbsence(error) || (error instanceof CoregitError && error.code === "StorageCorrupt")) return false;
    throw error;
  }
}

async function readParts(source: PartSource): Promise<PackWithIndex | null> {
  const whole = async (part: PackPart) => Buffer.concat(await Array.fromAsync(source(part)));
  try {
    return { pack: await whole("pack"), idx: await whole("idx") };
  } catch (error) {
    if (isAbsence(error)) return null;
    throw error;
  }
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** Puts both parts and reads them back. @throws CoregitError `StorageCorrupt`, `ObjectMissing`, `StorageUnavailable`. */
async function storeCopy(copy: CheckedPack, source: PartSource, storage: PackStorage): Promise<void> {
  const put = async (part: PackPart, size: number) =>
    storage.blobs.put(packKey(copy.repositoryId, copy.id, part), Readable.from(source(part)), size);
  await put("pack", copy.packSize);
  await put("idx", copy.idxSize);
  if (!(await isSound(copy, storedPackReader(copy, storage))))
    throw new CoregitError("StorageCorrupt", `The copy ${copy.id} of a pack cannot be read back.`);
}

async function replace(pack: CheckedPack, copy: NewPack, database: Database): Promise<boolean> {
  return await database.transaction(async (tx) => {
    // In the order of a compaction; the copy comes once the repository is locked, so that no collection takes it for an orphan.
    if (!(await keepRepository(tx, pack.repositoryId))) return false;
    if (!(await retirePack(tx, pack.id))) return false;
    await advanceVersion(tx, pack.repositoryId);
    await insertPack(tx, pack.repositoryId, copy);
    return true;
  });
}
