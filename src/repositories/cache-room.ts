// Keeps the local views together within their size. Measuring asks the disk about every view, so it is done when what came in
// since may be too much, and once in a while, as other processes may share the folder.
import type { CacheMetrics } from "./cache-metrics.ts";
import type { StoreOptions } from "./store-options.ts";
import { chooseEvictions, measureViews } from "./view-eviction.ts";

/** How old a measure may become before it is made again, when anything came in. */
const STALE_MS = 60_000;
/** Where too much is in use, measuring again at once would find the same. */
const SHORTEST_REST_MS = 1_000;

export type CachedViews = {
  isInUse(id: string): boolean;
  /** When this process used the view last; null: never. */
  lastUsedMs(id: string): number | null;
  discard(id: string): Promise<void>;
};

type RoomOptions = Pick<StoreOptions, "cacheMaxBytes" | "clock" | "logger"> & {
  readonly viewsDir: string;
  readonly metrics: CacheMetrics;
};

export class CacheRoom {
  readonly #options: RoomOptions;
  readonly #views: CachedViews;
  #measuredMs = Number.NEGATIVE_INFINITY;
  #measuredBytes = 0;
  #addedBytes = 0;

  constructor(options: RoomOptions, views: CachedViews) {
    this.#options = options;
    this.#views = views;
  }

  /** Takes note of bytes that came into views. */
  add(bytes: number): void {
    this.#addedBytes += bytes;
  }

  /** Removes views, the longest unused first, when there is reason to think that they are too large together. */
  async keep(): Promise<void> {
    const { cacheMaxBytes, clock } = this.#options;
    if (this.#addedBytes === 0) return;
    const restedMs = clock.now() - this.#measuredMs;
    const isFull = this.#measuredBytes + this.#addedBytes > cacheMaxBytes;
    if (restedMs >= (isFull ? SHORTEST_REST_MS : STALE_MS)) await this.#make();
  }

  async #make(): Promise<void> {
    const { viewsDir, cacheMaxBytes, clock, logger, metrics } = this.#options;
    this.#measuredMs = clock.now();
    this.#addedBytes = 0;
    const measured = await measureViews(viewsDir);
    const views = measured.map((view) => ({ ...view, lastUsedMs: this.#views.lastUsedMs(view.id) ?? view.lastUsedMs }));
    const gone = new Set<string>();
    for (const id of chooseEvictions(views, cacheMaxBytes, clock.now(), (id) => this.#views.isInUse(id))) {
      // Somebody may have taken it while others were removed.
      if (this.#views.isInUse(id)) continue;
      logger.debug({ repositoryId: id }, "Removing a local view to make room.");
      await this.#views.discard(id);
      metrics.evicted();
      gone.add(id);
    }
    const left = views.filter(({ id }) => !gone.has(id));
    this.#measuredBytes = left.reduce((sum, { bytes }) => sum + bytes, 0);
    metrics.measured(left.length, this.#measuredBytes);
  }
}
