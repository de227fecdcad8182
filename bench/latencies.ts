// What benches of single answers share: waiting for a state, and rows of percentiles.
import { setTimeout as delay } from "node:timers/promises";
import { type BenchRow, formatMs } from "./measure.ts";

const POLL_MS = 2;
const PATIENCE_MS = 60_000;

/** Polls each 2 ms. @throws after a minute. */
export async function until(isReached: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!(await isReached())) {
    if (performance.now() > endMs) throw new Error("What the bench waits for did not happen.");
    await delay(POLL_MS);
  }
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export type LatencyLimits = { readonly p50: number; readonly p99: number };

export function latencyRows(bench: string, what: string, times: readonly number[], limits: LatencyLimits): readonly BenchRow[] {
  const figures = { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
  return (["p50", "p99"] as const).map((name) => ({
    bench,
    what: `${what}, ${name}`,
    result: formatMs(figures[name]),
    limit: `≤ ${limits[name]} ms`,
    isWithin: figures[name] <= limits[name],
    figures,
  }));
}
