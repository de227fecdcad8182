// How a failed run ends. Responsible for the retry (the domain decides when), for not filling history with the same failure
// again and again, and for runs that were stopped from here: those leave the sync's status alone.
//
// A failure for good (a conflict, a pack beyond the limits) is remembered with the heads that led to it: at each interval
// the heads are compared, and only when one has moved, the declaration has changed or somebody asks is the run made again.
// A failure like the one before it, with nobody waiting, adds to that one's row.
import type { Transaction } from "../db/database.ts";
import { notify } from "../db/notify.ts";
import { foldRepeatedFailure, type RunEnd, readRun } from "../db/runs.ts";
import { endLease, type NextRun } from "../db/sync-leases.ts";
import { writeFailed } from "../db/sync-results.ts";
import { reopenTriggers } from "../db/triggers.ts";
import { type CoregitError, type ErrorCode, retryKind } from "../domain/errors.ts";
import { outcome } from "../domain/schedule.ts";
import { endOf, writeEnd } from "./record.ts";
import { type Run, runStart } from "./run.ts";

/** The worker, not the sync, is why these runs ended. */
const STOPPED_FROM_HERE: ReadonlySet<ErrorCode> = new Set(["StaleLease", "Interrupted"]);

/** False: the lease is gone, so the run has been recorded already or is not this worker's any more. */
export async function recordFailure(run: Run, error: CoregitError): Promise<boolean> {
  return STOPPED_FROM_HERE.has(error.code) ? recordStopped(run, error) : recordFailed(run, error);
}

/** The row that was found when the lease was gone says that the run had ended: its transaction was committed after all. */
export async function wasRecorded(run: Run): Promise<boolean> {
  const row = await readRun(run.deps.database, run.request.runId);
  return row !== null && row.status !== "running" && row.code !== "Interrupted";
}

async function recordFailed(run: Run, error: CoregitError): Promise<boolean> {
  const { claim, deps, request } = run;
  const nowMs = deps.clock.now();
  const { intervalMs } = claim.spec;
  const next = outcome(error, { nowMs, intervalMs, jitter: deps.jitter, failures: claim.failures, random: deps.random });
  const afterMs = next.nextRunAtMs === null ? null : Math.max(0, next.nextRunAtMs - nowMs);
  const nextRun = request.isBeside ? besides(run) : { afterMs };
  return deps.database.transaction(async (tx) => {
    if (!(await endLease(tx, claim.lease, { nextRun, generation: null }))) return false;
    const runId = await writeFailedRun(tx, run, failedEnd(run, error));
    if (!request.isBeside) await writeFailedSync(tx, run, { error, failures: next.failures, runId });
    return true;
  });
}

type Failure = { readonly error: CoregitError; readonly failures: number; readonly runId: string };

async function writeFailedSync(tx: Transaction, run: Run, { error, failures, runId }: Failure): Promise<void> {
  const { syncId } = run.claim.lease;
  const isNew = await writeFailed(tx, syncId, {
    generation: run.claim.generation,
    failures,
    code: error.code,
    message: error.message,
    details: error.details,
    seen: retryKind(error.code) === "terminal" ? run.progress.heads : null,
    runId,
  });
  if (isNew || run.progress.hasRow) await notify(tx, "syncChanged", [syncId]);
}

/** Returns the id of the row that stands for the failure. */
async function writeFailedRun(tx: Transaction, run: Run, end: RunEnd): Promise<string> {
  if (run.request.triggerIds.length === 0) {
    const folded = await foldRepeatedFailure(tx, runStart(run), end);
    if (folded !== null) {
      await notify(tx, "runEnded", [run.claim.lease.syncId]);
      return folded;
    }
  }
  await writeEnd(tx, run, end);
  return run.request.runId;
}

/** Triggers stay open: another run answers them. */
async function recordStopped(run: Run, error: CoregitError): Promise<boolean> {
  const { claim, deps } = run;
  const { syncId } = claim.lease;
  return deps.database.transaction(async (tx) => {
    // A changed declaration has set the schedule itself; endLease keeps what is due.
    const nextRun: NextRun = error.code === "Interrupted" ? { afterMs: 0 } : besides(run);
    if (!(await endLease(tx, claim.lease, { nextRun, generation: null }))) return false;
    if (run.progress.hasRow) {
      const asked = { ...run, request: { ...run.request, triggerIds: [] } };
      await writeEnd(tx, asked, endOf(run, { status: "error", code: "Interrupted", message: error.message }));
      await notify(tx, "syncChanged", [syncId]);
    }
    await reopenTriggers(tx, syncId, run.request.triggerIds);
    await notify(tx, "syncDue", [syncId]);
    return true;
  });
}

function failedEnd(run: Run, error: CoregitError): RunEnd {
  return endOf(run, { status: "error", code: error.code, message: error.message, details: error.details });
}

function besides(run: Run): NextRun {
  return run.claim.isScheduled ? { afterMs: 0 } : "keep";
}
