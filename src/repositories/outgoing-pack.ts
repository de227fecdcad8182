// The pack of a push to elsewhere: objects that are stored here and objects made for it. A few small ones are packed in
// process; many or large ones by git, as a stream, so that memory is bounded whatever is sent.
import { stat } from "node:fs/promises";
import { CoregitError } from "../domain/errors.ts";
import { type NewObject, newObject } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import { appendToPack } from "../git/append-to-pack.ts";
import type { ObjectInfo } from "../git/cat-file.ts";
import { streamPack } from "../git/pack-objects.ts";
import { writeLargePack } from "../git/pack-writer.ts";
import type { PublishedObjects } from "./published-objects.ts";
import type { ViewLease } from "./views.ts";

/** Each distinct. */
export type OutgoingObjects = { readonly stored: readonly Oid[]; readonly made: readonly NewObject[] };

export type OutgoingPlace = {
  readonly repositoryId: string;
  readonly objects: PublishedObjects;
  leaseView(): Promise<ViewLease>;
  readonly memoryBytes: number;
};

/** Up to these git would take longer to start than the objects to be read. */
const FEW_OBJECTS = 256;
const FEW_BYTES = 4 << 20;

/** @throws CoregitError `ObjectMissing`, `CacheLost`, `Internal`, `Timeout`. */
export async function* outgoingPack(
  place: OutgoingPlace,
  { stored, made }: OutgoingObjects,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (await areFew(place, stored)) {
    const read = await Promise.all(stored.map((oid) => readStored(place, oid)));
    yield (await writeLargePack([...made, ...read])).pack;
    return;
  }
  using view = await place.leaseView();
  const source = streamPack(stored, { gitDir: view.directory, memoryBytes: place.memoryBytes, signal });
  try {
    yield* appendToPack(source, await writeLargePack(made));
  } catch (cause) {
    const isThere = await stat(view.directory).catch(() => null);
    if (isThere !== null) throw cause;
    throw new CoregitError("CacheLost", "The local cache was deleted while it was in use.", { cause });
  }
}

async function areFew({ repositoryId, objects }: OutgoingPlace, stored: readonly Oid[]): Promise<boolean> {
  if (stored.length > FEW_OBJECTS) return false;
  const infos = await Promise.all(stored.map((oid) => objects.info(repositoryId, oid)));
  const size = (info: ObjectInfo | null, index: number): number => {
    if (info === null) throw missing(stored[index]);
    return info.size;
  };
  return infos.reduce((sum, info, index) => sum + size(info, index), 0) <= FEW_BYTES;
}

async function readStored({ repositoryId, objects }: OutgoingPlace, oid: Oid): Promise<NewObject> {
  const object = await objects.read(repositoryId, oid);
  if (object === null) throw missing(oid);
  return newObject(object.type, object.content);
}

function missing(oid: Oid | undefined): CoregitError {
  return new CoregitError("ObjectMissing", `There is no object ${oid}.`, { details: { oid } });
}
