// Removes blobs that no row of `packs` names: what a push or import stored and did not publish, and what a deleted repository
// or a killed collection left. The blob store is walked from end to end in bounded steps, by all processes together.
//
// A pack of which the database knows nothing is first noted, when it has been there for two days, and goes when it has been
// noted for the retention time. So nothing is lost at once where the database is not the one that belongs to the blob store:
// restored from a backup, or another one by mistake.
//
// Against the publish that comes after all, time is no argument, so there is a bar: under the lock that a publish takes first,
// the collector sees that there is no row and forbids that there will be; then the blobs go. A process killed in between
// leaves the bar, and the next walk deletes what it still finds.
import type { BlobStore } from "../../blobs/blob-store.ts";
import { advanceWalk, endWalk, resumeWalk } from "../../db/blob-walks.ts";
import type { Database } from "../../db/database.ts";
import {
  barFromPublishing,
  findUnnamedPacks,
  forgetCollected,
  noteOrphans,
  type OrphanedPack,
  readDatabaseTime,
} from "../../db/orphaned-packs.ts";
import type { Logger } from "../../domain/log.ts";
import { deleteBlobs } from "./collect-retired.ts";
import { packsOf } from "./listed-packs.ts";
import type { TaskResult, UpkeepTask } from "./task.ts";

const HOUR_MS = 3_600_000;
/** A run may take 24 h at most, and stores before it publishes; twice that is beyond any that still works. */
export const ORPHAN_AGE_MS = 48 * HOUR_MS;
/** A bar outlives whoever could still be about to publish the pack. */
const BAR_MS = 90 * 24 * HOUR_MS;
const PURPOSE = "collect-orphans";
/** Between the end of a walk and the next: listing a million keys of S3 costs half a cent. */
const REST_MS = 6 * HOUR_MS;
/** As many as S3 lists in one request, and their bound in memory. */
const PAGE_KEYS = 1_000;
const PAGES_PER_TURN = 20;

export type CollectOrphansOptions = {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly logger: Logger;
  /** How long an orphan stays after it was noted. */
  readonly retentionMs: number;
  /** Keys in a step of the walk; default 1,000. */
  readonly pageKeys?: number;
};

export function collectOrphans(options: CollectOrphansOptions): UpkeepTask {
  return { name: PURPOSE, intervalMs: HOUR_MS, run: (signal) => walkOn(options, signal) };
}

async function walkOn(options: CollectOrphansOptions, signal: AbortSignal): Promise<TaskResult> {
  const { database, blobs, pageKeys = PAGE_KEYS } = options;
  const start = await resumeWalk(database, PURPOSE, REST_MS);
  if (start === null) return { done: 0, hasMore: false };
  let from: string = start;
  let done = 0;
  let pages = 0;
  for await (const page of pagesOf(blobs.list("", from === "" ? undefined : from), pageKeys)) {
    signal.throwIfAborted();
    done += await collectAmong(options, page);
    const to = page.at(-1)?.key ?? from;
    // Another process is on its way here: the rest is its.
    if (!(await advanceWalk(database, PURPOSE, from, to))) return { done, hasMore: false };
    from = to;
    pages += 1;
    if (pages === PAGES_PER_TURN) return { done, hasMore: true };
  }
  await forgetCollected(database, BAR_MS);
  await endWalk(database, PURPOSE, from);
  return { done, hasMore: false };
}

async function* pagesOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let page: T[] = [];
  for await (const item of items) {
    page.push(item);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

async function collectAmong(
  { database, blobs, logger, retentionMs }: CollectOrphansOptions,
  listed: Parameters<typeof packsOf>[0],
): Promise<number> {
  const packs = packsOf(listed);
  const youngestMs = (await readDatabaseTime(database)) - ORPHAN_AGE_MS;
  const unnamed = await findUnnamedPacks(
    database,
    packs.map(({ id }) => id),
  );
  const orphans = packs.filter(({ id, writtenAtMs }) => unnamed.has(id) && writtenAtMs < youngestMs);
  const due = Map.groupBy(await noteOrphans(database, orphans, retentionMs), ({ repositoryId }) => repositoryId);
  let collected = 0;
  for (const [repositoryId, group] of due) {
    const ids = await bar(database, repositoryId, group);
    for (const id of ids) await deleteBlobs(blobs, { id, repositoryId });
    if (ids.length > 0) logger.info({ repositoryId, packs: ids.length }, "Removed packs that were never published.");
    collected += ids.length;
  }
  return collected;
}

function bar(database: Database, repositoryId: string, orphans: readonly OrphanedPack[]): Promise<string[]> {
  const ids = orphans.map(({ id }) => id);
  return database.transaction((tx) => barFromPublishing(tx, repositoryId, ids));
}
