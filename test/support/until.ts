// Waiting on a state with a deadline, for states of other processes that announce nothing.

import { setTimeout as pause } from "node:timers/promises";

/** Resolves once `condition` holds; rejects with `what` after `timeoutMs`. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await pause(20);
  }
}
