// Waiting that ends early.
import { setTimeout as delay } from "node:timers/promises";

/** Resolves after `ms`, or as soon as `signal` is aborted. Never rejects. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}
