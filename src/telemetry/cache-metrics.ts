// Numbers of the local cache.
import { Counter, Gauge, type Registry } from "prom-client";

/** What the git store reports of its views, in its own port's form. */
export interface CacheMetrics {
  measured(views: number, bytes: number): void;
  evicted(): void;
}

export function createCacheMetrics(registry: Registry): CacheMetrics {
  const registers = [registry];
  const size = new Gauge({ name: "coregit_cache_bytes", help: "Size of the local views, as last measured.", registers });
  const count = new Gauge({ name: "coregit_cache_views", help: "Local views, as last counted.", registers });
  const evictions = new Counter({
    name: "coregit_cache_evictions_total",
    help: "Local views that were removed to make room.",
    registers,
  });
  return {
    measured(views, bytes) {
      count.set(views);
      size.set(bytes);
    },
    evicted: () => evictions.inc(),
  };
}
