// The second step of an export: what it would change on the remote's branch. The same plan as an import's with the sides
// swapped: our branch is the source, the remote's the target.
import type { SyncPoint } from "../db/sync-points.ts";
import { EMPTY_TREE, type Oid } from "../domain/oid.ts";
import { type PlanResult, plan } from "../domain/plan.ts";
import { compileSelection } from "../domain/selection.ts";
import type { TreeReader } from "../domain/tree.ts";
import type { Run } from "./run.ts";

export type ExportTrees = {
  readonly source: Oid;
  /** Null: the remote has no such branch. */
  readonly target: Oid | null;
  readonly base: SyncPoint | null;
};

export async function planExport(run: Run, readTree: TreeReader, { source, target, base }: ExportTrees): Promise<PlanResult> {
  const { spec } = run.claim;
  return plan(readTree, {
    source,
    target,
    syncPoint: base === null ? null : { source: base.localTree ?? EMPTY_TREE, target: base.remoteTree },
    policy: spec.onDivergence,
    selection: compileSelection(spec),
    sourcePath: spec.path,
    targetPath: spec.remotePath,
    maxDeletions: spec.maxDeletions,
  });
}
