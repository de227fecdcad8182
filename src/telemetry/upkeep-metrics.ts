// Numbers of the store's upkeep.
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { ErrorCode } from "../domain/errors.ts";

/** What upkeep reports, in its own port's form. Durations are in milliseconds; metrics are in seconds. */
export interface UpkeepMetrics {
  turnEnded(turn: {
    readonly task: string;
    readonly code: ErrorCode | null;
    readonly done: number;
    readonly durationMs: number;
  }): void;
  compacted(replacedPacks: number): void;
  packsCounted(livePacks: number): void;
  packChecked(result: "sound" | "repaired" | "damaged", bytes: number): void;
  damagedPacks(count: number): void;
}

const TURN_BUCKETS = [0.01, 0.1, 1, 10, 60, 600, 3600];

export function createUpkeepMetrics(registry: Registry): UpkeepMetrics {
  const registers = [registry];
  const turns = new Counter({
    name: "coregit_upkeep_turns_total",
    help: "Turns of upkeep tasks that ended, by task and error code.",
    labelNames: ["task", "code"],
    registers,
  });
  const done = new Counter({
    name: "coregit_upkeep_done_total",
    help: "What upkeep tasks did, in the measure of each.",
    labelNames: ["task"],
    registers,
  });
  const duration = new Histogram({
    name: "coregit_upkeep_turn_duration_seconds",
    help: "Duration of turns of upkeep tasks.",
    labelNames: ["task"],
    buckets: TURN_BUCKETS,
    registers,
  });
  const compactions = new Counter({
    name: "coregit_compactions_total",
    help: "Times that packs of a repository were joined.",
    registers,
  });
  const replaced = new Counter({
    name: "coregit_compaction_replaced_packs_total",
    help: "Packs that compactions replaced.",
    registers,
  });
  const live = new Gauge({
    name: "coregit_live_packs",
    help: "Packs that make up all repositories, as last counted by this process.",
    registers,
  });
  return {
    turnEnded({ task, code, done: count, durationMs }) {
      turns.inc({ task, code: code ?? "" });
      duration.observe({ task }, durationMs / 1000);
      done.inc({ task }, count);
    },
    compacted(replacedPacks) {
      compactions.inc();
      replaced.inc(replacedPacks);
    },
    packsCounted: (livePacks) => live.set(livePacks),
    ...createScrubMetrics(registry),
  };
}

function createScrubMetrics(registry: Registry): Pick<UpkeepMetrics, "packChecked" | "damagedPacks"> {
  const registers = [registry];
  const checks = new Counter({
    name: "coregit_scrub_packs_total",
    help: "Stored packs that were read again and compared with their hashes, by result.",
    labelNames: ["result"],
    registers,
  });
  const bytes = new Counter({ name: "coregit_scrub_bytes_total", help: "Bytes of the packs that were read again.", registers });
  const damaged = new Gauge({
    name: "coregit_damaged_packs",
    help: "Packs in use that are known to be damaged, as last counted by this process.",
    registers,
  });
  return {
    packChecked(result, size) {
      checks.inc({ result });
      bytes.inc(size);
    },
    damagedPacks: (count) => damaged.set(count),
  };
}
