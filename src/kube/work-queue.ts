// Keys to look at, each at most once in the queue and never in two hands. A key is idle, delayed, waiting or running:
//   add     idle | delayed → waiting      running → running, and waiting again once it is done
//   take    waiting → running             done    running → idle (or waiting, when added meanwhile)
// Changes by people go before everything else, so that a restart with many objects delays nobody; what is new otherwise goes before
// second looks and retries of the background.
import type { Clock, Random } from "../domain/clock.ts";
import { type BackoffLimits, backoffMs } from "./backoff.ts";
import type { Timers } from "./timers.ts";

export type QueuePriority = "user" | "change" | "background";

export type QueueItem = { readonly key: string; readonly priority: QueuePriority; readonly waitedMs: number };

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

/** The first lane that holds a key gives the next one. */
const LANES: readonly QueuePriority[] = ["user", "change", "background"];

type Delayed = { readonly readyAtMs: number; readonly timer: Disposable };

export class WorkQueue implements Disposable {
  readonly #options: WorkQueueOptions;
  /** Key → since when it waits. Maps keep the order of insertion: each is a FIFO without doubles. */
  readonly #lanes: Readonly<Record<QueuePriority, Map<string, number>>> = {
    user: new Map(),
    change: new Map(),
    background: new Map(),
  };
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
    return LANES.reduce((sum, lane) => sum + this.#lanes[lane].size, 0);
  }

  /** As soon as possible. The higher of two priorities wins. */
  add(key: string, priority: QueuePriority): void {
    if (this.#isClosed) return;
    this.#cancelDelay(key);
    const again = this.#running.get(key);
    if (again !== undefined) {
      if (isBefore(priority, again)) this.#running.set(key, priority);
      return;
    }
    const lane = this.#laneOf(key);
    if (!isBefore(priority, lane)) return;
    const since = (lane === null ? undefined : this.#lanes[lane].get(key)) ?? this.#options.clock.monotonic();
    if (lane !== null) this.#lanes[lane].delete(key);
    this.#lanes[priority].set(key, since);
    this.#options.onWaiting?.(this.depth);
    this.#serve();
  }

  /** After `delayMs`, unless it is due sooner anyway. */
  addAfter(key: string, delayMs: number, priority: QueuePriority = "background"): void {
    if (this.#isClosed || this.#laneOf(key) !== null) return;
    const readyAtMs = this.#options.clock.monotonic() + delayMs;
    const known = this.#delayed.get(key);
    if (known !== undefined && known.readyAtMs <= readyAtMs) return;
    this.#cancelDelay(key);
    const timer = this.#options.timers.after(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key, priority);
    });
    this.#delayed.set(key, { readyAtMs, timer });
  }

  /**
   * After a wait that doubles with each failure in a row, and is at least `minimumMs`. Answers the wait. The first retry has the
   * priority of the attempt, which may have met somebody else's write; what goes on failing waits behind everything.
   */
  retry({ key, priority }: Pick<QueueItem, "key" | "priority">, minimumMs = 0): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const delayMs = Math.max(minimumMs, backoffMs(failures, this.#options.backoff ?? RETRY, this.#options.random));
    this.addAfter(key, delayMs, failures === 1 ? priority : "background");
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
    for (const lane of LANES) this.#lanes[lane].clear();
    for (const taker of this.#takers.splice(0)) taker(null);
  }

  #serve(): void {
    while (this.#takers.length > 0) {
      const priority = LANES.find((lane) => this.#lanes[lane].size > 0);
      if (priority === undefined) return;
      const [first] = this.#lanes[priority];
      const taker = this.#takers.shift();
      if (first === undefined || taker === undefined) return;
      const [key, since] = first;
      this.#lanes[priority].delete(key);
      this.#running.set(key, null);
      taker({ key, priority, waitedMs: this.#options.clock.monotonic() - since });
    }
  }

  #laneOf(key: string): QueuePriority | null {
    return LANES.find((lane) => this.#lanes[lane].has(key)) ?? null;
  }

  #cancelDelay(key: string): void {
    this.#delayed.get(key)?.timer[Symbol.dispose]();
    this.#delayed.delete(key);
  }
}

/** `other` null: nowhere. */
function isBefore(priority: QueuePriority, other: QueuePriority | null): boolean {
  return other === null || LANES.indexOf(priority) < LANES.indexOf(other);
}
