// Keeps the leases of runs under way, and stops runs whose lease is lost or whose declaration has changed. One statement for
// all of them; no timer while nothing runs.
import type { Database } from "../db/database.ts";
import { type Lease, renewLeases } from "../db/sync-leases.ts";
import type { Clock } from "../domain/clock.ts";
import { CoregitError } from "../domain/errors.ts";
import type { Logger } from "../domain/log.ts";

/** Two renewals may fail before a lease is over. */
const RENEWALS_PER_LEASE = 3;

type Held = { readonly lease: Lease; readonly generation: number; readonly stop: (reason: CoregitError) => void };

export type LeaseKeeperOptions = {
  readonly database: Database;
  readonly owner: string;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
};

export class LeaseKeeper implements Disposable {
  readonly #options: LeaseKeeperOptions;
  readonly #held = new Map<string, Held>();
  #timer: NodeJS.Timeout | null = null;
  #renewedMs = 0;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /**
   * Keeps a fresh lease until the result is disposed. `stop` is called when the run must end: also when the same sync is claimed
   * again here, because its lease was over before this process noticed.
   */
  keep(held: Held): Disposable {
    const { syncId } = held.lease;
    this.#held.get(syncId)?.stop(lost());
    if (this.#held.size === 0) this.#renewedMs = this.#options.clock.monotonic();
    this.#held.set(syncId, held);
    this.#timer ??= setInterval(() => void this.check(), this.#options.leaseMs / RENEWALS_PER_LEASE);
    return {
      [Symbol.dispose]: () => {
        if (this.#held.get(syncId) === held) this.#held.delete(syncId);
        if (this.#held.size === 0) this[Symbol.dispose]();
      },
    };
  }

  isKeeping(syncId: string): boolean {
    return this.#held.has(syncId);
  }

  /** Renews all leases now and stops the runs that may not go on. Never rejects. */
  async check(): Promise<void> {
    const asked = [...this.#held.values()];
    if (asked.length === 0) return;
    const { database, owner, leaseMs, clock, logger } = this.#options;
    const sentMs = clock.monotonic();
    try {
      const renewed = await renewLeases(
        database,
        asked.map(({ lease }) => lease),
        { owner, leaseMs },
      );
      this.#renewedMs = sentMs;
      const current = new Map(renewed.map((row) => [row.syncId, row]));
      for (const held of asked) this.#stopIfLost(held, current.get(held.lease.syncId));
    } catch (error) {
      logger.warn({ err: error }, "The leases of runs under way could not be renewed.");
      if (sentMs - this.#renewedMs > leaseMs) for (const held of asked) held.stop(lost());
    }
  }

  #stopIfLost(held: Held, row: { readonly isSuspended: boolean; readonly generation: number } | undefined): void {
    // A run that ended meanwhile has given its lease back itself.
    if (this.#held.get(held.lease.syncId) !== held) return;
    if (row === undefined) held.stop(lost());
    else if (row.isSuspended) held.stop(new CoregitError("StaleLease", "The sync was suspended during the run."));
    else if (row.generation !== held.generation) {
      held.stop(new CoregitError("StaleLease", "The declaration changed during the run; it is run again."));
    }
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}

function lost(): CoregitError {
  return new CoregitError("StaleLease", "The sync was removed or taken over during the run; nothing was written.");
}
