// The last step of a run: what it leaves in its row, in the sync's row, the schedule and the triggers, in one transaction
// that first ends the lease. A run whose lease is lost, or whose declaration has changed, writes nothing.
import type { Transaction } from "../db/database.ts";
import { notify } from "../db/notify.ts";
import { insertRunning, type RunEnd, type RunPlan, writeEndedRun } from "../db/runs.ts";
import { endLease, type NextRun } from "../db/sync-leases.ts";
import { type SyncPoint, writeSyncPoint } from "../db/sync-points.ts";
import { type SeenHeads, type SyncedResult, writePlanned, writeSynced, writeUnchanged } from "../db/sync-results.ts";
import { settleTriggers } from "../db/triggers.ts";
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import { afterSuccess } from "../domain/schedule.ts";
import { type Run, runStart } from "./run.ts";
import { movedMessage, plannedMessage, UP_TO_DATE } from "./run-message.ts";

/**
 * A remote that had nothing new though a delivery announced it is not asked again for this long, whatever is delivered: thirty times a
 * minute at most, where GitLab lets an account without a plan ask a hundred times.
 */
const QUIET_MS = 2000;
/** Paths of a plan that a sync shows. */
const MAX_STATUS_PATHS = 20;

/** Makes the run's row, once it is known that there is something to do. @throws CoregitError `StaleLease`. */
export async function recordBegin(run: Run): Promise<void> {
  if (run.progress.hasRow) return;
  const { database } = run.deps;
  if (!(await insertRunning(database, runStart(run), run.claim.lease))) throw staleLease();
  run.progress.hasRow = true;
  if (!run.request.isBeside) await notify(database, "syncChanged", [run.claim.lease.syncId]);
}

/** The fields that every ending shares, with nothing changed. */
export function endOf(run: Run, end: Pick<RunEnd, "status" | "message"> & Partial<RunEnd>): RunEnd {
  const { progress } = run;
  return {
    code: null,
    details: null,
    branch: progress.branch,
    remoteSha: progress.remoteSha,
    commitSha: null,
    added: 0,
    modified: 0,
    deleted: 0,
    remoteCalls: progress.remote?.calls ?? 0,
    receivedBytes: progress.receivedBytes,
    plan: null,
    ...end,
    message: progress.movedTo === null ? end.message : `${end.message} ${movedMessage(progress.movedTo)}`,
  };
}

/** A run that came to its end: its row, the triggers, who waits. */
export async function writeEnd(tx: Transaction, run: Run, end: RunEnd): Promise<void> {
  await writeEndedRun(tx, runStart(run), end);
  await settleTriggers(tx, run.request.triggerIds);
  await notify(tx, "runEnded", [run.claim.lease.syncId]);
}

/**
 * Nothing new on either side. Writes the schedule, and a row only for those who wait for one.
 * `hasNewHeads`: the heads have moved but what there is to do has not; the next poll shall not look again.
 */
export async function recordUnchanged(run: Run, seen: SeenHeads, hasNewHeads: boolean): Promise<void> {
  const { claim, deps, request } = run;
  const { syncId } = claim.lease;
  const isQuiet = !hasNewHeads && request.triggerIds.length === 0 && !run.progress.hasRow;
  const quietMs = claim.isAnnounced && !hasNewHeads ? QUIET_MS : null;
  const lease = { nextRun: afterwards(run), generation: claim.generation, quietMs };
  if (isQuiet) {
    if (!(await endLease(deps.database, claim.lease, lease))) throw staleLease();
    return;
  }
  await deps.database.transaction(async (tx) => {
    if (!(await endLease(tx, claim.lease, lease))) throw staleLease();
    const isNew = hasNewHeads && !request.isBeside && (await writeUnchanged(tx, syncId, { generation: claim.generation, seen }));
    if (request.triggerIds.length > 0 || run.progress.hasRow) {
      await writeEnd(tx, run, endOf(run, { status: "skipped", message: UP_TO_DATE }));
    }
    if (isNew || run.progress.hasRow) await notify(tx, "syncChanged", [syncId]);
  });
}

/** What a run that is in step with its remote leaves. */
export type Synced = {
  readonly localBranch: string;
  /** The commit that the other side now has the content of: the remote's for an import, ours for an export. */
  readonly sourceCommit: Oid;
  readonly point: SyncPoint;
  readonly end: RunEnd;
};

/** Part of the transaction that publishes. @throws CoregitError `StaleLease`, then nothing may be committed. */
export async function writeSuccess(tx: Transaction, run: Run, { localBranch, sourceCommit, point, end }: Synced): Promise<void> {
  const { claim, request } = run;
  const { syncId } = claim.lease;
  if (!(await endLease(tx, claim.lease, { nextRun: afterwards(run), generation: claim.generation }))) throw staleLease();
  await writeSyncPoint(tx, syncId, localBranch, point);
  await writeEnd(tx, run, end);
  if (request.isBeside) return;
  const result: SyncedResult = {
    generation: claim.generation,
    seen: { remote: point.remoteCommit, local: point.localCommit },
    lastSyncedSha: sourceCommit,
    remoteSha: point.remoteCommit,
    localSha: point.localCommit,
    remoteBranch: point.remoteBranch,
    localBranch,
    runId: end.status === "success" ? request.runId : null,
  };
  await writeSynced(tx, syncId, result);
  await notify(tx, "syncChanged", [syncId]);
}

/** A plan is reported; the sync point stays. @throws CoregitError `StaleLease`. */
export async function recordPlan(run: Run, seen: SeenHeads, plan: RunPlan): Promise<void> {
  const { claim, deps, request } = run;
  const { syncId } = claim.lease;
  const message = plannedMessage(plan, plan.conflicts.length);
  const { added, modified, deleted } = plan;
  const end = endOf(run, { status: "skipped", message, added, modified, deleted, plan });
  await deps.database.transaction(async (tx) => {
    if (!(await endLease(tx, claim.lease, { nextRun: afterwards(run), generation: claim.generation }))) throw staleLease();
    await writeEnd(tx, run, end);
    if (request.isBeside) return;
    const shown = { added, modified, deleted, paths: plan.paths.slice(0, MAX_STATUS_PATHS) };
    await writePlanned(tx, syncId, { generation: claim.generation, seen, plan: shown });
    await notify(tx, "syncChanged", [syncId]);
  });
}

/** The schedule after a run that did not fail. */
function afterwards(run: Run): NextRun {
  const { claim, deps } = run;
  // The schedule was due as well as the trigger, and has not been served.
  if (run.request.isBeside) return claim.isScheduled ? { afterMs: 0 } : "keep";
  const nowMs = deps.clock.now();
  const { nextRunAtMs } = afterSuccess({
    nowMs,
    intervalMs: claim.spec.intervalMs,
    jitter: deps.jitter,
    random: deps.random,
  });
  return { afterMs: nextRunAtMs === null ? null : nextRunAtMs - nowMs };
}

export function staleLease(): CoregitError {
  return new CoregitError("StaleLease", "The sync was changed, suspended or taken over during the run; nothing was written.");
}
