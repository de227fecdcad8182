// An export from gathering to the record: the order of the steps, and what is tried again within one run (the remote moved
// between the plan and the push). The remote's head is fetched only where the repository does not have its tree already.
import { findRemoteCommit, type SyncPoint } from "../db/sync-points.ts";
import type { PlanResult } from "../domain/plan.ts";
import type { Remote } from "../remotes/remote.ts";
import { findUnrecorded } from "./adopt-export.ts";
import { isWorthAnotherLook, MAX_HEADS } from "./another-look.ts";
import { exportChanges, exportNothing } from "./execute-export.ts";
import type { ExportStep } from "./export-step.ts";
import { fetchSource, readableBase, type Source, storedSource } from "./fetch-source.ts";
import { headsOf } from "./gather.ts";
import { type ExportSituation, gatherExport } from "./gather-export.ts";
import { planExport } from "./plan-export.ts";
import { describePlan, requireChanges } from "./plan-import.ts";
import { recordBegin, recordPlan, recordUnchanged } from "./record.ts";
import { requireIdentity } from "./remote-identity.ts";
import { inSpan, type Run } from "./run.ts";
import type { Ending } from "./run-import.ts";

/** Runs an export to its record and says how it ended. @throws CoregitError why it failed; then nothing is recorded yet. */
export async function runExport(run: Run, remote: Remote): Promise<Ending> {
  for (let heads = 1; ; heads += 1) {
    const situation = await gatherExport(run, remote);
    if ("concluded" in situation) {
      await recordUnchanged(run, situation.concluded, false);
      return "skipped";
    }
    try {
      return await exportHead(run, remote, situation);
    } catch (error) {
      if (!isWorthAnotherLook(error) || heads === MAX_HEADS) throw error;
    }
  }
}

async function exportHead(run: Run, remote: Remote, situation: ExportSituation): Promise<Ending> {
  const kept = await readableBase(situation);
  if (hasNothingNew(run, situation, kept)) {
    await recordUnchanged(run, headsOf(situation), true);
    return "skipped";
  }
  await using target = await openTarget(run, remote, situation, kept);
  const adopted = target === null ? null : await findUnrecorded(run, remote, { situation, target, base: kept });
  const readTree = target?.readTree ?? situation.reader.readTree;
  const base = adopted?.point ?? kept;
  const trees = { source: situation.source.tree, target: target?.tree ?? null, base };
  const result = await inSpan(run, "plan", () => planExport(run, readTree, trees));
  run.signal.throwIfAborted();
  if (run.request.mode === "Plan") return await reportPlan(run, situation, result);
  const planned = requireChanges(result, situation.source);
  return await execute(run, remote, { situation, target, readTree, planned, adopted, kept, base });
}

/** What Merge would export is what has changed here since the sync point: nothing, whatever has become of the remote. */
function hasNothingNew(run: Run, { local }: ExportSituation, kept: SyncPoint | null): boolean {
  const { claim, request } = run;
  return claim.spec.onDivergence === "Merge" && request.mode === "Apply" && kept?.localCommit === local;
}

/** The remote's head with its tree; null: there is no such branch. */
async function openTarget(run: Run, remote: Remote, situation: ExportSituation, kept: SyncPoint | null): Promise<Source | null> {
  const { repository, reader, local } = situation;
  if (situation.remote === null) return null;
  const known = await findRemoteCommit(run.deps.database, repository.id, situation.remote);
  const isStored = known !== null && (await reader.objectType(known.remoteTree)) === "tree";
  if (isStored) return storedSource(situation, known);
  await recordBegin(run);
  await requireIdentity(run, remote);
  return fetchSource(run, remote, { repository, reader, remote: situation.remote, local }, kept);
}

async function reportPlan(run: Run, situation: ExportSituation, result: PlanResult): Promise<Ending> {
  // Whoever asks for a dry run wants to see the conflicts; a sync that is declared to plan shows them as its error.
  if (!run.request.isBeside) requireChanges(result, situation.source);
  await recordPlan(run, headsOf(situation), describePlan(result, situation.source));
  return "skipped";
}

async function execute(run: Run, remote: Remote, step: ExportStep): Promise<Ending> {
  const { target, planned, situation, adopted } = step;
  if (planned.changes.size > 0) {
    await recordBegin(run);
    await exportChanges(run, remote, step);
    return "success";
  }
  if (target === null) {
    await recordUnchanged(run, headsOf(situation), true);
    return "skipped";
  }
  await recordBegin(run);
  await exportNothing(run, { ...step, target });
  return adopted === null ? "skipped" : "success";
}
