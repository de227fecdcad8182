// What the last step of an export is given: both sides, the plan between them, and what it was made from.
import type { SyncPoint } from "../db/sync-points.ts";
import type { PlannedChanges } from "../domain/plan.ts";
import type { TreeReader } from "../domain/tree.ts";
import type { AdoptedExport } from "./adopt-export.ts";
import type { Source } from "./fetch-source.ts";
import type { ExportSituation } from "./gather-export.ts";

export type ExportStep = {
  readonly situation: ExportSituation;
  /** The remote's head; null: there is none yet. */
  readonly target: Source | null;
  readonly readTree: TreeReader;
  readonly planned: PlannedChanges;
  /** An earlier run's commit at the remote's head that this run is to record. */
  readonly adopted: AdoptedExport | null;
  /** The sync point, where its tree is still stored here. */
  readonly kept: SyncPoint | null;
  /** What the plan was made from: `kept`, or the adopted commit's. */
  readonly base: SyncPoint | null;
};
