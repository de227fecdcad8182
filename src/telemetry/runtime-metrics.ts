// What the Kubernetes runtime counts, under controller-runtime's names, so that its dashboards and alerts fit.
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export interface RuntimeMetrics {
  reconciled(controller: string, result: "success" | "error" | "requeue_after", durationMs: number, timedOut: boolean): void;
  queued(controller: string, depth: number): void;
  taken(controller: string, waitedMs: number, depth: number): void;
  emptied(controller: string): void;
  retried(controller: string): void;
  missedEvents(resource: string, count: number): void;
  watchFailed(resource: string, reason: string): void;
  leading(isLeader: boolean): void;
}

/** controller-runtime's buckets, 5 ms to 60 s, thinned out. */
const RECONCILE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function createRuntimeMetrics(registry: Registry): RuntimeMetrics {
  return { ...reconcileMetrics(registry), ...queueMetrics(registry), ...watchMetrics(registry) };
}

function reconcileMetrics(registry: Registry): Pick<RuntimeMetrics, "reconciled"> {
  const registers = [registry];
  const total = new Counter({
    name: "controller_runtime_reconcile_total",
    help: "Reconciles by controller and result.",
    labelNames: ["controller", "result"],
    registers,
  });
  const errors = new Counter({
    name: "controller_runtime_reconcile_errors_total",
    help: "Reconciles that failed.",
    labelNames: ["controller"],
    registers,
  });
  const timeouts = new Counter({
    name: "controller_runtime_reconcile_timeouts_total",
    help: "Reconciles that went past their deadline.",
    labelNames: ["controller"],
    registers,
  });
  const duration = new Histogram({
    name: "controller_runtime_reconcile_time_seconds",
    help: "Duration of a reconcile.",
    labelNames: ["controller"],
    buckets: RECONCILE_BUCKETS,
    registers,
  });
  return {
    reconciled(controller, result, durationMs, timedOut) {
      total.inc({ controller, result });
      duration.observe({ controller }, durationMs / 1000);
      if (result === "error") errors.inc({ controller });
      if (timedOut) timeouts.inc({ controller });
    },
  };
}

function queueMetrics(registry: Registry): Pick<RuntimeMetrics, "queued" | "taken" | "emptied" | "retried"> {
  const registers = [registry];
  const labelNames = ["name", "controller"] as const;
  const depth = new Gauge({ name: "workqueue_depth", help: "Keys that wait.", labelNames, registers });
  const adds = new Counter({ name: "workqueue_adds_total", help: "Keys that were added.", labelNames, registers });
  const retries = new Counter({ name: "workqueue_retries_total", help: "Keys that were added again.", labelNames, registers });
  const waited = new Histogram({
    name: "workqueue_queue_duration_seconds",
    help: "Time that a key waited before it was taken.",
    labelNames,
    buckets: RECONCILE_BUCKETS,
    registers,
  });
  const labels = (controller: string) => ({ name: controller, controller });
  return {
    queued(controller, waiting) {
      adds.inc(labels(controller));
      depth.set(labels(controller), waiting);
    },
    taken(controller, waitedMs, waiting) {
      depth.set(labels(controller), waiting);
      waited.observe(labels(controller), waitedMs / 1000);
    },
    emptied: (controller) => depth.set(labels(controller), 0),
    retried: (controller) => retries.inc(labels(controller)),
  };
}

function watchMetrics(registry: Registry): Pick<RuntimeMetrics, "missedEvents" | "watchFailed" | "leading"> {
  const registers = [registry];
  const missed = new Counter({
    name: "coregit_watch_missed_events_total",
    help: "Differences that a list found although a watch was running.",
    labelNames: ["resource"],
    registers,
  });
  const failures = new Counter({
    name: "coregit_watch_failures_total",
    help: "Watches and lists that ended in an error.",
    labelNames: ["resource", "reason"],
    registers,
  });
  const leader = new Gauge({
    name: "leader_election_master_status",
    help: "1 while this process holds the lease.",
    labelNames: ["name"],
    registers,
  });
  return {
    missedEvents: (resource, count) => missed.inc({ resource }, count),
    watchFailed: (resource, reason) => failures.inc({ resource, reason }),
    leading: (isLeader) => leader.set({ name: "coregit-operator" }, isLeader ? 1 : 0),
  };
}
