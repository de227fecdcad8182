// Claims due syncs while there are free workers and sleeps until something can be due: the earliest time in the table, a
// notification, a freed worker. Never polls at a fixed pace; idle, it asks the database only at those times. Survives the
// database: what fails is tried again, slower each time.
import type { Database } from "../db/database.ts";
import { type ClaimedSync, type Claims, claimDueSyncs } from "../db/sync-leases.ts";
import type { Random } from "../domain/clock.ts";
import type { Logger } from "../domain/log.ts";
import type { Heartbeat } from "../domain/progress.ts";
import { pause } from "./pause.ts";
import { reap } from "./reap.ts";

/** One statement claims a whole batch: measured on a million rows, batches of 20 claim twelve times as fast as single ones. */
const MAX_BATCH = 20;
/** A row that is due but locked by another worker's claim is asked for again after this long. */
const SHORTEST_SLEEP_MS = 50;
/** Timers are set anew at least this often, so that none is beyond what setTimeout takes. */
const LONGEST_SLEEP_MS = 3_600_000;
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 5000;

export type WorkLoopOptions = {
  readonly database: Database;
  readonly owner: string;
  readonly workers: number;
  /** How long a claim is good for until it is renewed. */
  readonly leaseMs: number;
  /** Told of each round; resting while there is nothing to do. */
  readonly heartbeat: Heartbeat;
  readonly random: Random;
  readonly logger: Logger;
  /** No other process works on this database: leases of others are dead. Holds for the first round only. */
  readonly isOnlyWorker: boolean;
  /** Runs one claimed sync; never rejects. */
  readonly run: (claim: ClaimedSync) => Promise<void>;
};

export class WorkLoop {
  readonly #options: WorkLoopOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #idle: (() => void)[] = [];
  #sleep = new AbortController();
  #isWoken = false;
  #failures = 0;
  #mustReap: "all" | "dead" | "none";
  #done: Promise<void> = Promise.resolve();

  constructor(options: WorkLoopOptions) {
    this.#options = options;
    this.#mustReap = options.isOnlyWorker ? "all" : "dead";
  }

  start(): void {
    this.#done = this.#loop();
  }

  /** Something may be due. */
  wake(): void {
    this.#isWoken = true;
    // With a reason, or each call would make an error with its stack.
    this.#sleep.abort("woken");
  }

  /** Resolves when nothing runs and, seen after the call, nothing is due. */
  drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle.push(resolve);
    this.wake();
    return promise;
  }

  /** Claims nothing more. Resolves when no round is under way; runs go on. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.wake();
    await this.#done;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Resolves when the runs under way have ended. */
  async finished(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #loop(): Promise<void> {
    const { heartbeat } = this.#options;
    while (!this.#stop.signal.aborted) {
      heartbeat.beat();
      this.#isWoken = false;
      const waiting = this.#idle.splice(0);
      const sleepMs = await this.#round();
      const isIdle = this.#running.size === 0 && this.#failures === 0 && !this.#isWoken && sleepMs > SHORTEST_SLEEP_MS;
      if (isIdle) for (const resolve of waiting) resolve();
      else this.#idle.unshift(...waiting);
      heartbeat.rest(sleepMs);
      await this.#sleepFor(sleepMs);
    }
    heartbeat[Symbol.dispose]();
  }

  /** One round: reap, claim, and how long to sleep after it. */
  async #round(): Promise<number> {
    try {
      await this.#reapIfNeeded();
      const sleepMs = await this.#claim();
      this.#failures = 0;
      return sleepMs;
    } catch (error) {
      this.#failures += 1;
      this.#options.logger.warn({ err: error }, "No syncs could be claimed; trying again.");
      const backoffMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.#failures - 1));
      return backoffMs * (0.5 + this.#options.random() / 2);
    }
  }

  async #reapIfNeeded(): Promise<void> {
    if (this.#mustReap === "none") return;
    const { database, owner, logger } = this.#options;
    const count = await reap(database, owner, this.#mustReap === "all");
    this.#mustReap = "none";
    if (count > 0) logger.info({ count }, "Ended the leases of workers that are gone.");
  }

  /** How long there is nothing to claim; with no worker free that is until one is, and who ends a run wakes the loop. */
  async #claim(): Promise<number> {
    const { database, owner, workers, leaseMs } = this.#options;
    const limit = Math.min(MAX_BATCH, workers - this.#running.size);
    if (limit <= 0) return LONGEST_SLEEP_MS;
    const found = await claimDueSyncs(database, { owner, limit, leaseMs });
    for (const claim of found.claims) this.#run(claim);
    if (this.#running.size >= workers) return LONGEST_SLEEP_MS;
    return found.claims.length === limit ? 0 : this.#nextWakeMs(found);
  }

  #run(claim: ClaimedSync): void {
    const run = this.#options.run(claim).finally(() => {
      this.#running.delete(run);
      this.wake();
    });
    this.#running.add(run);
  }

  #nextWakeMs({ dueInMs, leaseEndsInMs }: Claims): number {
    if (leaseEndsInMs !== null && leaseEndsInMs <= 0) this.#mustReap = "dead";
    const nextMs = Math.min(dueInMs ?? LONGEST_SLEEP_MS, leaseEndsInMs ?? LONGEST_SLEEP_MS, LONGEST_SLEEP_MS);
    return Math.max(nextMs, SHORTEST_SLEEP_MS);
  }

  async #sleepFor(ms: number): Promise<void> {
    if (this.#isWoken && this.#failures === 0) return;
    this.#sleep = new AbortController();
    // While the database is away only the end wakes, or every notification would ask it again.
    const signal = this.#failures === 0 ? this.#sleep.signal : this.#stop.signal;
    await pause(ms, signal);
  }
}
