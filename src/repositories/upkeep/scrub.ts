// Reads every stored pack again from time to time and compares it with the hashes that were recorded when it was published, so
// that bytes which a disk or a bucket lost are known while a good copy may still be had. The pack whose check is due the
// longest comes first; each is checked by one process. Damage is told, kept in the pack's row for `doctor`, and repaired where
// a local view has the right bytes. Nothing is deleted.
import type { BlobStore } from "../../blobs/blob-store.ts";
import type { Database } from "../../db/database.ts";
import { type CheckedPack, claimPackToCheck, listDamagedPacks, recordPackCheck } from "../../db/pack-checks.ts";
import type { Clock } from "../../domain/clock.ts";
import type { Logger } from "../../domain/log.ts";
import { Pace } from "./pace.ts";
import { repairPack } from "./repair-pack.ts";
import { findDamage, type PartSink, storedPackReader } from "./stored-pack.ts";
import type { TaskResult, UpkeepTask } from "./task.ts";

const HOUR_MS = 3_600_000;
/** Every pack is checked once in this time; the first time so long after it was published (migration 0005). */
export const CHECK_PERIOD_MS = 14 * 24 * HOUR_MS;
/** A damaged pack is looked at again soon: it may have been restored, or a process with a good copy comes by. */
const DAMAGED_PERIOD_MS = HOUR_MS;
/** Longer than reading a pack of 100 GiB takes at the default rate. */
const CLAIM_MS = HOUR_MS;
const INTERVAL_MS = 10 * 60_000;
/** 2.7 TiB a day for each process, about a tenth of what a disk or a bucket gives. */
const DEFAULT_BYTES_PER_SECOND = 32 * 1024 ** 2;
const PACKS_PER_TURN = 200;
const BYTES_PER_TURN = 1024 ** 3;

export interface ScrubMetrics {
  /** A pack was checked. */
  packChecked(result: "sound" | "repaired" | "damaged", bytes: number): void;
  /** How many live packs are known to be damaged. */
  damagedPacks(count: number): void;
}

export type ScrubOptions = {
  readonly database: Database;
  readonly blobs: BlobStore;
  /** Where a good copy may be found. */
  readonly cacheDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ScrubMetrics;
  readonly bytesPerSecond?: number;
};

export function scrub(options: ScrubOptions): UpkeepTask {
  const pace = new Pace(options.bytesPerSecond ?? DEFAULT_BYTES_PER_SECOND, options.clock);
  return { name: "scrub", intervalMs: INTERVAL_MS, run: (signal) => checkDuePacks(options, pace, signal) };
}

async function checkDuePacks(options: ScrubOptions, pace: Pace, signal: AbortSignal): Promise<TaskResult> {
  let done = 0;
  let bytes = 0;
  while (done < PACKS_PER_TURN && bytes < BYTES_PER_TURN) {
    signal.throwIfAborted();
    const pack = await claimPackToCheck(options.database, CLAIM_MS);
    if (pack === null) break;
    await checkPack(options, pack, paced(pace, signal));
    done += 1;
    bytes += pack.packSize + pack.idxSize;
  }
  options.metrics.damagedPacks((await listDamagedPacks(options.database, 1)).count);
  return { done, hasMore: done >= PACKS_PER_TURN || bytes >= BYTES_PER_TURN };
}

function paced(pace: Pace, signal: AbortSignal): PartSink {
  return async (bytes) => {
    for await (const chunk of bytes) await pace.take(chunk.byteLength, signal);
  };
}

async function checkPack(options: ScrubOptions, pack: CheckedPack, sink: PartSink): Promise<void> {
  const { database, metrics } = options;
  const damage = await findDamage(storedPackReader(pack, options), sink);
  const nextInMs = damage === null ? CHECK_PERIOD_MS : DAMAGED_PERIOD_MS;
  // A pack that was replaced or deleted meanwhile is nobody's loss.
  if (!(await recordPackCheck(database, pack.id, { damage, nextInMs }))) return;
  const size = pack.packSize + pack.idxSize;
  if (damage === null) metrics.packChecked("sound", size);
  else metrics.packChecked((await tryToRepair(options, pack, damage)) ? "repaired" : "damaged", size);
}

async function tryToRepair(options: ScrubOptions, pack: CheckedPack, damage: string): Promise<boolean> {
  const { logger } = options;
  const fields = { repositoryId: pack.repositoryId, pack: pack.id, damage };
  try {
    const copy = await repairPack(pack, options);
    if (copy === null) {
      logger.error(fields, "A stored pack is damaged, and no good copy is at hand; restore it from a backup.");
      return false;
    }
    logger.error({ ...fields, copy }, "A stored pack was damaged and has been replaced by a good copy from the local cache.");
    return true;
  } catch (error) {
    logger.error({ ...fields, err: error }, "A stored pack is damaged, and could not be repaired.");
    return false;
  }
}
