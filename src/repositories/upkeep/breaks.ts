// Breaks in work that takes the processor, so that upkeep leaves most of it to those who wait for answers.
import { setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../../domain/clock.ts";

/** Short pieces of work get a quarter of the time: at 500 commits a second, more than that leaves the others too little. */
const BREAK_PER_WORK = 3;
/** git may pack for minutes in a process of low priority; who commits has not waited for that. */
const LONGEST_BREAK_MS = 1_000;
/** Shorter ones cost more than they spread: they are taken together with the next. */
const SHORTEST_BREAK_MS = 10;

/** Takes a break three times as long as the work since the last one, of a second at most. */
export type TakeBreak = (signal: AbortSignal) => Promise<void>;

/** Work begins now. */
export function beginWork(clock: Clock): TakeBreak {
  let begunMs = clock.monotonic();
  return async (signal) => {
    const breakMs = Math.min((clock.monotonic() - begunMs) * BREAK_PER_WORK, LONGEST_BREAK_MS);
    if (breakMs < SHORTEST_BREAK_MS) return;
    await pause(breakMs, undefined, { signal });
    begunMs = clock.monotonic();
  };
}
