// maxDeletions: how much one run may delete, as a number of entries or a percentage of what is there.
import type { DeletionLimit } from "./sync-spec.ts";

const PERCENT = /^([0-9]{1,3})%$/;
const COUNT = /^[0-9]{1,9}$/;

/** `50`, `"50"` or `"10%"`; null when it is neither a whole number nor a percentage from 0 to 100. */
export function parseDeletionLimit(value: number | string): DeletionLimit | null {
  const text = String(value);
  if (COUNT.test(text)) return { count: Number(text) };
  const percent = Number(PERCENT.exec(text)?.[1] ?? Number.NaN);
  return percent <= 100 ? { percent } : null;
}

/** As it is declared. */
export function formatDeletionLimit(limit: DeletionLimit): string {
  return "count" in limit ? String(limit.count) : `${limit.percent}%`;
}

/** How many entries may go when `total` are there. */
export function allowedDeletions(limit: DeletionLimit, total: number): number {
  return "count" in limit ? limit.count : Math.floor((limit.percent * total) / 100);
}

/** Whether a run may delete everything, even because the source is empty. */
export function allowsEmptying(limit: DeletionLimit | null): boolean {
  return limit !== null && "percent" in limit && limit.percent >= 100;
}
