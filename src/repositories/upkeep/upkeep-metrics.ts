// What upkeep counts, as a port: whoever wants numbers passes an implementation in.
import type { ErrorCode } from "../../domain/errors.ts";

export interface UpkeepMetrics {
  /** A turn of a task ended; `code` null: it did not fail. `done` is in the task's own measure. */
  turnEnded(turn: {
    readonly task: string;
    readonly code: ErrorCode | null;
    readonly done: number;
    readonly durationMs: number;
  }): void;
  /** A repository's packs were replaced by one. */
  compacted(replacedPacks: number): void;
  /** The live packs of all repositories were counted. */
  packsCounted(livePacks: number): void;
}
