// Keys of the blob store as the packs that they belong to.
import type { OrphanedPack } from "../../db/orphaned-packs.ts";

type ListedBlob = { readonly key: string; readonly writtenAtMs: number };

export type ListedPack = OrphanedPack & {
  /** When the newest of its parts was written. */
  readonly writtenAtMs: number;
};

const PACK_KEY = /^([\w-]+)\/([\w-]+)\.(?:pack|idx)$/;

/** The packs of some keys, each once. Keys of any other form are not ours to judge and left out. */
export function packsOf(blobs: readonly ListedBlob[]): ListedPack[] {
  const packs = new Map<string, ListedPack>();
  for (const { key, writtenAtMs } of blobs) {
    const [, repositoryId, id] = PACK_KEY.exec(key) ?? [];
    if (repositoryId === undefined || id === undefined) continue;
    const known = packs.get(`${repositoryId}/${id}`);
    const newestMs = Math.max(known?.writtenAtMs ?? writtenAtMs, writtenAtMs);
    packs.set(`${repositoryId}/${id}`, { id, repositoryId, writtenAtMs: newestMs });
  }
  return [...packs.values()];
}
