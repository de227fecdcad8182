// What the git store is made from, and its limits.
import type { BlobStore } from "../blobs/blob-store.ts";
import type { Database } from "../db/database.ts";
import type { Clock } from "../domain/clock.ts";
import type { Logger } from "../domain/log.ts";
import type { Tracer } from "../domain/tracer.ts";
import type { CacheMetrics } from "./cache-metrics.ts";

export type StoreLimits = {
  /** Bytes of a pack from outside (COREGIT_MAX_PACK_BYTES). */
  readonly maxPackBytes: number;
  /** Objects in a pack from outside. index-pack keeps about 200 bytes for each, 1 GB for these. */
  readonly maxObjects: number;
  /** Sum of the inflated objects of a pack from outside. */
  readonly maxInflatedBytes: number;
  /** Folders inside folders in a pack from outside. A path of 4,096 bytes, the longest that git checks out, has at most half as many. */
  readonly maxTreeDepth: number;
  /** Address space of a git process that reads what is not published yet. index-pack of 5 million objects takes about 1.5 GB. */
  readonly gitMemoryBytes: number;
  /** Processor time of the git process that unpacks a pack from outside. One of 5 million objects takes about ten minutes. */
  readonly gitCpuSeconds: number;
  /** Packs up to this size travel in the transaction; PostgreSQL writes a row of this size in about a millisecond. */
  readonly inlinePackBytes: number;
  /** Decoded trees and commits kept in memory. The trees of 20,000 files take about 6 MB. */
  readonly objectCacheBytes: number;
};

/** A text repository inflates to about five times its pack; more than twenty times is a bomb or not worth its disk. */
const INFLATION = 20;

export function storeLimits(maxPackBytes: number): StoreLimits {
  return {
    maxPackBytes,
    maxObjects: 5_000_000,
    maxInflatedBytes: Math.max(maxPackBytes * INFLATION, 1 << 30),
    maxTreeDepth: 2_048,
    gitMemoryBytes: 3 * 1024 ** 3,
    gitCpuSeconds: 3_600,
    inlinePackBytes: 64 * 1024,
    objectCacheBytes: 64 * 1024 ** 2,
  };
}

export type StoreOptions = {
  readonly database: Database;
  readonly blobs: BlobStore;
  /** Absolute; made when missing. Everything in it may be deleted at any time. */
  readonly cacheDir: string;
  /** What the local views may take on disk, except for those in use. */
  readonly cacheMaxBytes: number;
  readonly limits: StoreLimits;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Default: nobody counts. */
  readonly metrics?: CacheMetrics;
  /** Default: no traces. */
  readonly tracer?: Tracer;
};
