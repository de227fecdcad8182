// When repositories are compacted: those whose refs moved since the last look, as notifications tell, and now and then all,
// for what was missed. A look costs nothing while nothing is published, and one query over an index else.
import { CHANNELS, type Database } from "../../db/database.ts";
import { countLivePacks, totalLivePacks } from "../../db/pack-compaction.ts";
import type { Clock } from "../../domain/clock.ts";
import type { LocalRepositoryStore } from "../open-repository-store.ts";
import { MAX_JOINED_PACKS } from "./compact.ts";
import type { TaskResult, UpkeepTask } from "./task.ts";
import type { UpkeepMetrics } from "./upkeep-metrics.ts";

const INTERVAL_MS = 10_000;
/**
 * Packs in geometric order are at most about thirty, so at fifty twenty or more are joined. Fewer cost a reader next to
 * nothing; rewriting more often would cost the objects of a busy repository one more rewriting for each halving.
 */
const MIN_PACKS = 50;
/** How long a look at everything is good for. */
const SWEEP_INTERVAL_MS = 10 * 60_000;
/** A repository that cannot be compacted, for example as bytes are lost, is left alone for so long. */
const HOLD_MS = 10 * 60_000;
/** Repositories in one turn. */
const MAX_REPOSITORIES = 20;

export type CompactTaskParts = {
  readonly database: Database;
  readonly store: Pick<LocalRepositoryStore, "compact">;
  readonly clock: Clock;
  readonly metrics: UpkeepMetrics;
};

export function compactTask(parts: CompactTaskParts): UpkeepTask {
  const task = new CompactTask(parts);
  return { name: "compact", intervalMs: INTERVAL_MS, run: (signal) => task.run(signal) };
}

class CompactTask {
  readonly #parts: CompactTaskParts;
  /** Repositories that got packs since they were last looked at. */
  #moved = new Set<string>();
  #isListening = false;
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  readonly #heldUntilMs = new Map<string, number>();

  constructor(parts: CompactTaskParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<TaskResult> {
    await this.#listen();
    const crowded = (await this.#look()).filter((id) => !this.#isHeld(id));
    const taken = crowded.splice(0, MAX_REPOSITORIES);
    // What is not looked at now, or has more to join than one round takes, comes again in the next turn: at once. What commits bring
    // meanwhile can wait: of a busy repository, the more packs are joined at a time, the fewer times its objects are written again.
    for (const id of [...crowded, ...taken]) this.#moved.add(id);
    let done = 0;
    let hasMore = crowded.length > 0;
    for (const id of taken) {
      const replaced = await this.#compact(id, signal);
      done += replaced;
      hasMore ||= replaced >= MAX_JOINED_PACKS;
    }
    return { done, hasMore };
  }

  /** Once; what was missed before is found by the first sweep. */
  async #listen(): Promise<void> {
    if (this.#isListening) return;
    const onMessage = (id: string) => void this.#moved.add(id);
    const onGap = () => {
      this.#sweptAtMs = Number.NEGATIVE_INFINITY;
    };
    await this.#parts.database.listen(CHANNELS.refMoved, { onMessage, onGap });
    this.#isListening = true;
  }

  /** Repositories to compact, those with the most packs first. */
  async #look(): Promise<string[]> {
    const { database, clock, metrics } = this.#parts;
    const nowMs = clock.monotonic();
    const isSweep = nowMs - this.#sweptAtMs >= SWEEP_INTERVAL_MS;
    if (!isSweep && this.#moved.size === 0) return [];
    const moved = this.#moved;
    this.#moved = new Set();
    try {
      const counts = await countLivePacks(database, isSweep ? null : [...moved], MIN_PACKS);
      if (isSweep) metrics.packsCounted(await totalLivePacks(database));
      if (isSweep) this.#sweptAtMs = nowMs;
      return counts.map(({ repositoryId }) => repositoryId);
    } catch (error) {
      for (const id of moved) this.#moved.add(id);
      throw error;
    }
  }

  /** Number of packs replaced. */
  async #compact(id: string, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    try {
      const replaced = await this.#parts.store.compact(id, signal);
      if (replaced > 0) this.#parts.metrics.compacted(replaced);
      return replaced;
    } catch (error) {
      this.#heldUntilMs.set(id, this.#parts.clock.monotonic() + HOLD_MS);
      throw error;
    }
  }

  #isHeld(id: string): boolean {
    const untilMs = this.#heldUntilMs.get(id);
    if (untilMs === undefined) return false;
    if (this.#parts.clock.monotonic() < untilMs) return true;
    this.#heldUntilMs.delete(id);
    return false;
  }
}
