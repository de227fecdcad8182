// All upkeep of the store, in one list. Every role runs it; the tasks see to it that processes do not do the same work twice.
import type { BlobStore } from "../../blobs/blob-store.ts";
import type { Database } from "../../db/database.ts";
import type { Clock, Random } from "../../domain/clock.ts";
import type { Logger } from "../../domain/log.ts";
import type { Tracer } from "../../domain/tracer.ts";
import type { LocalRepositoryStore } from "../open-repository-store.ts";
import { collectOrphans } from "./collect-orphans.ts";
import { collectRetired } from "./collect-retired.ts";
import { compactTask } from "./compact-task.ts";
import { type ScrubMetrics, scrub } from "./scrub.ts";
import type { UpkeepTask } from "./task.ts";
import { trimViewsTask } from "./trim-views-task.ts";
import type { UpkeepMetrics } from "./upkeep-metrics.ts";

export type UpkeepParts = {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly store: LocalRepositoryStore;
  /** Of the store: where a good copy of a damaged pack may be. */
  readonly cacheDir: string;
  /** How long blobs stay that nothing needs any more. */
  readonly packRetentionMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: UpkeepMetrics & ScrubMetrics;
  readonly tracer?: Tracer;
};

export function upkeepTasks(parts: UpkeepParts): readonly UpkeepTask[] {
  const { packRetentionMs } = parts;
  return [
    compactTask(parts),
    trimViewsTask(parts.store),
    collectRetired({ ...parts, blobRetentionMs: packRetentionMs }),
    collectOrphans({ ...parts, retentionMs: packRetentionMs }),
    scrub(parts),
  ];
}
