// The second step of a run: what an import would change on the local branch. Asks the domain and maps its answer; a plan
// that stops becomes the failure of the run.

import type { RunPlan } from "../db/runs.ts";
import type { SyncPoint } from "../db/sync-points.ts";
import { CoregitError } from "../domain/errors.ts";
import { EMPTY_TREE, type Oid } from "../domain/oid.ts";
import { displayPath } from "../domain/path-rules.ts";
import { type PlannedChanges, type PlanResult, plan } from "../domain/plan.ts";
import { compileSelection } from "../domain/selection.ts";
import type { Source } from "./fetch-source.ts";
import type { Situation } from "./gather.ts";
import type { Run } from "./run.ts";

/** The tree of the local branch's head, read as often as a plan is made. */
export type Target = { readonly commit: Oid | null; readonly tree: Oid | null };

export async function readTarget(situation: Situation, commit: Oid | null): Promise<Target> {
  return { commit, tree: commit === null ? null : (await situation.reader.readCommit(commit)).tree };
}

export async function planImport(run: Run, source: Source, target: Target, base: SyncPoint | null): Promise<PlanResult> {
  const { spec } = run.claim;
  return plan(source.readTree, {
    source: source.tree,
    target: target.tree,
    syncPoint: base === null ? null : { source: base.remoteTree, target: base.localTree ?? EMPTY_TREE },
    policy: spec.onDivergence,
    selection: compileSelection(spec),
    sourcePath: spec.remotePath,
    targetPath: spec.path,
    maxDeletions: spec.maxDeletions,
  });
}

/** The changes, when the plan has some to offer. @throws CoregitError with the plan's code when it stops. */
export function requireChanges(result: PlanResult, source: Pick<Source, "tree">): PlannedChanges {
  if (result.kind === "stopped") {
    throw new CoregitError(result.code, result.message, { details: { paths: result.paths } });
  }
  if (result.isClean && result.tree !== source.tree) {
    throw new CoregitError("Internal", "The planned tree is not the source's although nothing is filtered.", {
      details: { planned: result.tree, source: source.tree },
    });
  }
  return result;
}

/** History keeps this many paths of a plan; the counts are of all. */
const MAX_PLAN_PATHS = 1000;

/** A plan as history and a dry run show it. @throws CoregitError with the plan's code when it stops but for a conflict. */
export function describePlan(result: PlanResult, source: Pick<Source, "tree">): RunPlan {
  if (result.kind === "stopped" && result.code === "Conflict") {
    return { added: 0, modified: 0, deleted: 0, paths: [], conflicts: result.paths };
  }
  const { added, modified, deleted, changes } = requireChanges(result, source);
  const paths = [...changes.keys()].slice(0, MAX_PLAN_PATHS).map(displayPath);
  return { added, modified, deleted, paths, conflicts: [] };
}
