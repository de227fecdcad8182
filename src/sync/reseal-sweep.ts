// Seals anew, with the first key, what other keys of the list have sealed, so that a key can leave the list. Soon after the start,
// as keys change by a restart, and each hour, as other processes may still seal with another one. Any number of processes may do it.

import type { Database } from "../db/database.ts";
import type { SealingKeys } from "../db/seal.ts";
import { countSeals, resealSome, SEALED_COLUMNS } from "../db/sealed-columns.ts";
import type { Logger } from "../domain/log.ts";
import { pause } from "./pause.ts";

const SWEEP_EACH_MS = 3_600_000;
const BATCH = 50;

export type ResealSweepOptions = { readonly database: Database; readonly keys: SealingKeys; readonly logger: Logger };

/** Sweeps until it is disposed, which waits for the batch under way. */
export function openResealSweep(options: ResealSweepOptions): AsyncDisposable {
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await sweepOnce(options, stop.signal);
      await pause(SWEEP_EACH_MS, stop.signal);
    }
  };
  const ended = run();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

async function sweepOnce({ database, keys, logger }: ResealSweepOptions, signal: AbortSignal): Promise<void> {
  try {
    const { older, unreadable } = await countSeals(database, keys);
    if (unreadable > 0) logger.warn({ count: unreadable }, "Secrets are sealed with a key that COREGIT_ENCRYPTION_KEY lacks.");
    if (older === 0) return;
    const count = await resealAll(database, keys, signal);
    logger.info({ count }, "Sealed secrets anew with the first key of COREGIT_ENCRYPTION_KEY.");
  } catch (err) {
    if (!signal.aborted) logger.warn({ err }, "Secrets could not be sealed anew; this is tried again.");
  }
}

/** Returns how many were sealed anew. Stops between two batches when `signal` is aborted. */
export async function resealAll(database: Database, keys: SealingKeys, signal: AbortSignal): Promise<number> {
  let count = 0;
  for (const column of SEALED_COLUMNS) {
    for (let afterId: string | null = ""; afterId !== null && !signal.aborted; ) {
      const { resealed, lastId } = await resealSome(database, keys, column, { afterId, limit: BATCH });
      count += resealed;
      afterId = lastId;
    }
  }
  return count;
}
