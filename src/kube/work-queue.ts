// Keys to look at, each at most once in the queue and never in two hands. A key is idle, delayed, waiting or running:
//   add     idle | delayed → waiting      running → running, and waiting again once it is done
//   take    waiting → running             done    running → idle (or waiting, when added meanwhile)
// Changes by people go before lists and retries of the background, so that a restart with many objects delays nobody.
import type { Clock, Random } from "../domain/clock.ts";
import { type BackoffLimits, backoffMs } from "./backoff.ts";
import type { Timers } from "./timers.ts";

export type QueuePriority = "user" | "background";

export type QueueItem = { readonly key: string; readonly waitedMs: number };

export type WorkQueueOptions = {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly backoff?: BackoffLimits;
  /** A key has begun to wait; so many wait now. */
  readonly onWaiting?: (depth: number) => void;
};

/** Half a second to a minute: what fails here is the database or the API server, and both come back for all at once. */
const RETRY: BackoffLimits = { firstMs: 500, longestMs: 60_000 };

type Delayed = { readonly readyAtMs: number; readonly timer: Disposable };

export class WorkQueue implements Disposable {
  readonly #options: WorkQueueOptions;
  /** Key → since when it waits. Maps keep the order of insertion: each is a FIFO without doubles. */
  readonly #lanes: Readonly<Record<QueuePriority, Map<string, number>>> = { user: new Map(), background: new Map() };
  /** Key → the priority with which it was added again while running, or null. */
  readonly #running = new Map<string, QueuePriority | null>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((item: QueueItem | null) => void)[] = [];
  #isClosed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Keys that could be taken now. */
  get depth(): number {
    return this.#lanes.user.size + this.#lanes.background.size;
  }

  /** As soon as possible. The higher of two priorities wins. */
  add(key: string, priority: QueuePriority): void {
    if (this.#isClosed) return;
    this.#cancelDelay(key);
    if (this.#running.has(key)) {
      if (this.#running.get(key) !== "user") this.#running.set(key, priority);
      return;
    }
    if (this.#lanes.user.has(key)) return;
    const since = this.#lanes.background.get(key) ?? this.#options.clock.monotonic();
    if (priority === "user") this.#lanes.background.delete(key);
    this.#lanes[priority].set(key, since);
    this.#options.onWaiting?.(this.depth);
    this.#serve();
  }

  /** After `delayMs`, unless it is due sooner anyway. */
  addAfter(key: string, delayMs: number): void {
    if (this.#isClosed || this.#lanes.user.has(key) || this.#lanes.background.has(key)) return;
    const readyAtMs = this.#options.clock.monotonic() + delayMs;
    const known = this.#delayed.get(key);
    if (known !== undefined && known.readyAtMs <= readyAtMs) return;
    this.#cancelDelay(key);
    const timer = this.#options.timers.after(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key, "background");
    });
    this.#delayed.set(key, { readyAtMs, timer });
  }

  /** After a wait that doubles with each failure in a row, and is at least `minimumMs`. Answers the wait. */
  retry(key: string, minimumMs = 0): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const delayMs = Math.max(minimumMs, backoffMs(failures, this.#options.backoff ?? RETRY, this.#options.random));
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** The key went well: its next failure is the first one. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, which stays with the caller until `done`; null when the queue is closed. */
  take(): Promise<QueueItem | null> {
    if (this.#isClosed) return Promise.resolve(null);
    const { promise, resolve } = Promise.withResolvers<QueueItem | null>();
    this.#takers.push(resolve);
    this.#serve();
    return promise;
  }

  done(key: string): void {
    const again = this.#running.get(key) ?? null;
    this.#running.delete(key);
    if (again !== null) this.add(key, again);
  }

  /** Drops everything that waits; takers get null. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const { timer } of this.#delayed.values()) timer[Symbol.dispose]();
    this.#delayed.clear();
    this.#lanes.user.clear();
    this.#lanes.background.clear();
    for (const taker of this.#takers.splice(0)) taker(null);
  }

  #serve(): void {
    while (this.depth > 0 && this.#takers.length > 0) {
      const lane = this.#lanes.user.size > 0 ? this.#lanes.user : this.#lanes.background;
      const [first] = lane;
      const taker = this.#takers.shift();
      if (first === undefined || taker === undefined) return;
      const [key, since] = first;
      lane.delete(key);
      this.#running.set(key, null);
      taker({ key, waitedMs: this.#options.clock.monotonic() - since });
    }
  }

  #cancelDelay(key: string): void {
    this.#delayed.get(key)?.timer[Symbol.dispose]();
    this.#delayed.delete(key);
  }
}
