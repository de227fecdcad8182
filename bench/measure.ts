// How the benches measure: pairs in turn (A B A B …) in one run, since one machine's speed drifts; medians and ratios of pairs.

export type Figure = { readonly minMs: number; readonly medianMs: number; readonly maxMs: number };

export type BenchRow = {
  readonly bench: string;
  readonly what: string;
  /** What was measured, for people: `812 ms`, `1.12 ×`. */
  readonly result: string;
  /** What it is held against, or "". */
  readonly limit: string;
  readonly isWithin: boolean | null;
  /** The numbers behind it, for the JSON file. */
  readonly figures: Readonly<Record<string, number>>;
};

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export function figure(values: readonly number[]): Figure {
  return { minMs: Math.min(...values), medianMs: median(values), maxMs: Math.max(...values) };
}

/** Runs `work` once and answers its wall time in milliseconds. */
export async function timed(work: () => Promise<unknown> | unknown): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

export type Pair = { readonly ours: readonly number[]; readonly peer: readonly number[]; readonly ratio: number };

/** `rounds` rounds of peer then ours; each answers its own milliseconds, so that preparation is not counted. */
export async function paired(rounds: number, ours: () => Promise<number>, peer: () => Promise<number>): Promise<Pair> {
  const result = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    result.peer.push(await peer());
    result.ours.push(await ours());
  }
  const ratios = result.ours.map((value, index) => value / (result.peer[index] ?? Number.NaN));
  return { ...result, ratio: median(ratios) };
}

export function formatMs(ms: number): string {
  return ms >= 100 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}
