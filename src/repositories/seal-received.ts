// Makes a received pack durable. That takes about as long as looking at what the pack holds, so it may begin before the look
// is over, on the likely guess that all of it will be kept; a wrong guess and a refusal are taken back.
import type { Oid } from "../domain/oid.ts";
import { type PackFile, type PackFiles, packWithout } from "../git/pack-file.ts";
import { type PackDestination, preparePack, removeBlobs } from "./prepare-pack.ts";
import type { PreparedPack } from "./store.ts";

/** A pack in the quarantine's folder. */
export type IndexedFiles = PackFile & { readonly oids: readonly Oid[] };

export type SealedReceived = { readonly prepared: PreparedPack; readonly files: PackFiles };

export type SealPlace = PackDestination & { readonly folder: string; readonly memoryBytes: number };

/** The pack without `dropped`, which is less than all of it. */
export async function sealPack(pack: IndexedFiles, dropped: ReadonlySet<Oid>, place: SealPlace): Promise<SealedReceived> {
  const { folder, memoryBytes, signal } = place;
  const bytes = await packWithout(dropped, pack, { gitDir: folder, folder, memoryBytes, signal });
  return { prepared: await preparePack(bytes, pack.oids.length - dropped.size, place), files: bytes.files };
}

/** Sealing that began before it was known what has to be dropped, on the guess that nothing has. */
export class EarlySeal {
  readonly #place: SealPlace;
  readonly #abort = new AbortController();
  readonly #sealed: Promise<SealedReceived>;
  #isTaken = false;

  constructor(pack: IndexedFiles, place: SealPlace) {
    this.#place = place;
    const signal = AbortSignal.any([place.signal, this.#abort.signal]);
    this.#sealed = sealPack(pack, new Set(), { ...place, signal });
    // Whoever takes the pack hears of a failure; nobody may.
    this.#sealed.catch(() => undefined);
  }

  /** The sealed pack. From now on it is the caller's. */
  take(): Promise<SealedReceived> {
    this.#isTaken = true;
    return this.#sealed;
  }

  /**
   * Stops, and removes what the blob store has got, unless it was taken. Never throws: what cannot be removed is garbage,
   * collected by age.
   */
  async discard(): Promise<void> {
    if (this.#isTaken) return;
    this.#abort.abort();
    const sealed = await this.#sealed.catch(() => null);
    if (sealed === null || sealed.prepared.inline !== null) return;
    await removeBlobs(this.#place.blobs, this.#place.repositoryId, sealed.prepared.id);
  }
}
