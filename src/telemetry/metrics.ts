// What the program counts. One registry a process, made here and passed on as ports, so that the engine and HTTP know
// neither Prometheus nor each other. Names and labels are documented in docs/metrics.md.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { ErrorCode } from "../domain/errors.ts";
import type { Direction } from "../domain/sync-spec.ts";
import { type CacheMetrics, createCacheMetrics } from "./cache-metrics.ts";
import { createProviderMetrics, type ProviderMetrics } from "./provider-metrics.ts";
import { type ResourceMetrics, ResourceSeries } from "./resource-metrics.ts";
import { createRuntimeMetrics, type RuntimeMetrics } from "./runtime-metrics.ts";
import { createUpkeepMetrics, type UpkeepMetrics } from "./upkeep-metrics.ts";

/** What the engine reports, in its own port's form. Durations are in milliseconds; metrics are in seconds. */
interface EngineMetrics {
  runStarted(direction: Direction): void;
  runEnded(run: {
    readonly direction: Direction;
    readonly status: "success" | "skipped" | "error";
    readonly code: ErrorCode | null;
    readonly durationMs: number;
    /** How long it had been due when it began. */
    readonly lagMs: number;
  }): void;
  /** A claimed sync had been due for this long. */
  claimed(lagMs: number): void;
}

export interface HttpMetrics {
  /** `route` is the pattern, never the address: the number of series stays bounded. */
  answered(request: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly durationMs: number;
  }): void;
}

/** The page that `/metrics` serves. */
export interface MetricsPage {
  readonly contentType: string;
  render(): Promise<string>;
}

export type Metrics = {
  readonly engine: EngineMetrics;
  readonly http: HttpMetrics;
  readonly runtime: RuntimeMetrics;
  readonly upkeep: UpkeepMetrics;
  readonly cache: CacheMetrics;
  readonly providers: ProviderMetrics;
  readonly resources: ResourceMetrics;
  readonly page: MetricsPage;
};

const RUN_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600];
const REQUEST_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];
const LAG_BUCKETS = [0.01, 0.1, 0.5, 1, 5, 15, 60, 300];

export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const build = new Gauge({
    name: "coregit_build_info",
    help: "Always 1; the version is a label.",
    labelNames: ["version"],
    registers: [registry],
  });
  build.set({ version }, 1);
  const resources = new ResourceSeries();
  return {
    engine: createEngineMetrics(registry),
    http: createHttpMetrics(registry),
    runtime: createRuntimeMetrics(registry),
    upkeep: createUpkeepMetrics(registry),
    cache: createCacheMetrics(registry),
    providers: createProviderMetrics(registry),
    resources,
    page: { contentType: registry.contentType, render: async () => `${await registry.metrics()}\n${resources.render()}` },
  };
}

function createEngineMetrics(registry: Registry): EngineMetrics {
  const registers = [registry];
  const runs = new Counter({
    name: "coregit_sync_runs_total",
    help: "Finished runs by direction, status and error code.",
    labelNames: ["direction", "status", "code"],
    registers,
  });
  const duration = new Histogram({
    name: "coregit_sync_run_duration_seconds",
    help: "Duration of finished runs.",
    labelNames: ["direction", "status"],
    buckets: RUN_BUCKETS,
    registers,
  });
  const inProgress = new Gauge({
    name: "coregit_sync_runs_in_progress",
    help: "Runs that this process is executing.",
    labelNames: ["direction"],
    registers,
  });
  const lag = new Histogram({
    name: "coregit_sync_queue_lag_seconds",
    help: "Time between a sync becoming due and a worker claiming it.",
    buckets: LAG_BUCKETS,
    registers,
  });
  const behind = new Histogram({
    name: "coregit_sync_behind_seconds",
    help: "How long the target had been behind its source when a run that changed it ended.",
    labelNames: ["direction"],
    buckets: RUN_BUCKETS,
    registers,
  });
  return {
    runStarted: (direction) => inProgress.inc({ direction }),
    runEnded({ direction, status, code, durationMs, lagMs }) {
      if (status === "success") behind.observe({ direction }, (Math.max(0, lagMs) + durationMs) / 1000);
      inProgress.dec({ direction });
      runs.inc({ direction, status, code: code ?? "" });
      duration.observe({ direction, status }, durationMs / 1000);
    },
    claimed: (lagMs) => lag.observe(Math.max(0, lagMs) / 1000),
  };
}

function createHttpMetrics(registry: Registry): HttpMetrics {
  const requests = new Counter({
    name: "coregit_http_requests_total",
    help: "Answered requests by method, route and status.",
    labelNames: ["method", "route", "status"],
    registers: [registry],
  });
  const duration = new Histogram({
    name: "coregit_http_request_duration_seconds",
    help: "Time until the answer was complete.",
    labelNames: ["method", "route"],
    buckets: REQUEST_BUCKETS,
    registers: [registry],
  });
  return {
    answered({ method, route, status, durationMs }) {
      requests.inc({ method, route, status: String(status) });
      duration.observe({ method, route }, durationMs / 1000);
    },
  };
}
