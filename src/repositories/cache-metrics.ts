// What the local cache counts, as a port: whoever wants numbers passes an implementation in.

export interface CacheMetrics {
  /** The views were measured and room was made: they take this much on disk. */
  measured(views: number, bytes: number): void;
  /** A view was removed to make room. */
  evicted(): void;
}

export const noCacheMetrics: CacheMetrics = { measured: () => undefined, evicted: () => undefined };
