// Removes packs that compaction has replaced, once nobody reads them any more. The row goes first, then the bytes: a process
// killed in between leaves blobs without a row, which the collection of orphans finds; never a row without its blobs.
import type { BlobStore } from "../../blobs/blob-store.ts";
import type { Database } from "../../db/database.ts";
import { type DeletedPack, deleteRetiredPacks } from "../../db/retired-packs.ts";
import type { Logger } from "../../domain/log.ts";
import { packKey } from "../pack-fill.ts";
import type { UpkeepTask } from "./task.ts";

const HOUR_MS = 3_600_000;
/** The longest read of a pack set, a clone of a large repository over a slow line; JGit gives readers as long. */
export const INLINE_RETENTION_MS = 24 * HOUR_MS;
const BATCH = 200;

export type CollectRetiredOptions = {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly logger: Logger;
  /**
   * How long the blobs of retired packs stay: at least a day, and longer than the oldest backup of the database that is to be
   * restored over this blob store. Bytes in rows are in the backup, and stay a day.
   */
  readonly blobRetentionMs: number;
};

export function collectRetired({ database, blobs, logger, blobRetentionMs }: CollectRetiredOptions): UpkeepTask {
  return {
    name: "collect-retired",
    intervalMs: HOUR_MS,
    async run(signal) {
      signal.throwIfAborted();
      const retention = { inlineMs: INLINE_RETENTION_MS, blobMs: Math.max(blobRetentionMs, INLINE_RETENTION_MS), limit: BATCH };
      const packs = await deleteRetiredPacks(database, retention);
      // To the end, whatever the signal says: what is left is found again only after the orphans' time.
      for (const pack of packs) if (pack.hasBlobs) await deleteBlobs(blobs, pack);
      if (packs.length > 0) logger.debug({ packs: packs.length }, "Removed retired packs.");
      return { done: packs.length, hasMore: packs.length === BATCH };
    },
  };
}

/** The index last, as it went in last: a pack without one is never taken for whole. */
export async function deleteBlobs(blobs: BlobStore, { id, repositoryId }: Omit<DeletedPack, "hasBlobs">): Promise<void> {
  await blobs.delete(packKey(repositoryId, id, "pack"));
  await blobs.delete(packKey(repositoryId, id, "idx"));
}
