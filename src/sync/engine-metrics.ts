// What the engine counts, as a port: whoever wants numbers passes an implementation in.
import type { ErrorCode } from "../domain/errors.ts";
import type { Direction } from "../domain/sync-spec.ts";

/** Durations are in milliseconds. Each `runStarted` is followed by one `runEnded`. */
export interface EngineMetrics {
  runStarted(direction: Direction): void;
  runEnded(run: {
    readonly direction: Direction;
    readonly status: "success" | "skipped" | "error";
    readonly code: ErrorCode | null;
    readonly durationMs: number;
    /** How long it had been due when it began. */
    readonly lagMs: number;
  }): void;
  /** A claimed sync had been due for this long. */
  claimed(lagMs: number): void;
}

export const noEngineMetrics: EngineMetrics = {
  runStarted: () => undefined,
  runEnded: () => undefined,
  claimed: () => undefined,
};
