// What a leader does from the moment it leads until it no longer does: take the next epoch, reconcile everything once, then
// what changes, in the cluster or in the rows. All of it writes through the fence of its epoch.
import type { Database } from "../db/database.ts";
import { fencedDatabase, takeEpoch } from "../db/operator-epoch.ts";
import { Backoff } from "../kube/backoff.ts";
import { pause } from "../kube/timers.ts";
import type { Declarations } from "../sync/declarations.ts";
import { type KindRuntime, makeKinds, startKinds } from "./kinds-at-work.ts";
import { withdrawOrphans } from "./orphans.ts";
import { listenToRows } from "./row-notifications.ts";

export type LeadTermOptions = Omit<KindRuntime, "declarations"> & {
  readonly declarationsOver: (database: Database) => Declarations;
  readonly namespaces: readonly string[];
  readonly identity: string;
};

const START_RETRY = { firstMs: 500, longestMs: 15_000, resetAfterMs: 120_000 };

/** Runs until `lost` aborts. Never throws: what is not there yet is waited for. */
export async function leadTerm(options: LeadTermOptions, lost: AbortSignal): Promise<void> {
  const { timers, logger } = options;
  const backoff = new Backoff(START_RETRY, options.clock, options.random);
  while (!lost.aborted) {
    try {
      await using _term = await startTerm(options, lost);
      await aborted(lost);
    } catch (error) {
      logger.warn({ error }, "The leader cannot start yet.");
      await pause(timers, backoff.nextMs(), lost);
    }
  }
}

async function startTerm(options: LeadTermOptions, lost: AbortSignal): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  await Promise.race([options.watches.synced(), aborted(lost)]);
  if (lost.aborted) return stack.move();
  const epoch = await takeEpoch(options.database, options.identity);
  const database = fencedDatabase(options.database, epoch);
  const term = { ...options, database, declarations: options.declarationsOver(database) };
  options.logger.info({ epoch }, "Reconciling as leader.");
  const kinds = makeKinds(term);
  // Listening comes first: what a reconcile reads is then either current or announced.
  await listenToRows(term, kinds, stack);
  startKinds(term, kinds, stack);
  await withdrawOrphans(term);
  return stack.move();
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
