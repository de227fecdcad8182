// The frame around one run: its request, its time limit, its direction, and the record of whatever it throws. Resolves when
// the run is recorded, or when that is for the reaper to do; never rejects.
import type { ClaimedSync } from "../db/sync-leases.ts";
import { formatDuration } from "../domain/duration.ts";
import { CoregitError, toCoregitError } from "../domain/errors.ts";
import type { Span } from "../domain/tracer.ts";
import type { EngineMetrics } from "./engine-metrics.ts";
import { openRemote } from "./open-remote.ts";
import { pause } from "./pause.ts";
import { recordFailure, wasRecorded } from "./record-failure.ts";
import { hasMoved } from "./remote-identity.ts";
import { newProgress, type Run, type RunDependencies } from "./run.ts";
import { runExport } from "./run-export.ts";
import { type Ending, runImport } from "./run-import.ts";
import { takeRequest } from "./take-request.ts";

/** setTimeout takes no longer delay; a timeout beyond 24 days is as good as none. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** While the database is away a failure is recorded again and again at this pace, until the lease is over anyway. */
const RECORD_RETRY_MS = 500;
/** Names of a remote that one run tries: the one that was known, and the one that it has now. */
const MAX_NAMES = 2;

export type RunFrame = {
  readonly deps: RunDependencies;
  readonly metrics: EngineMetrics;
  /** Recording is given up after this long without the database: the lease is over and the reaper takes it from there. */
  readonly leaseMs: number;
};

/** Runs a claimed sync once. `signal` is aborted with a CoregitError when the lease is lost or the worker stops. */
export async function runSync(frame: RunFrame, claim: ClaimedSync, signal: AbortSignal): Promise<void> {
  const { direction } = claim.spec;
  const attributes = {
    "coregit.sync.id": claim.lease.syncId,
    "coregit.sync.name": `${claim.namespace}/${claim.name}`,
    "coregit.repository.id": claim.repositoryId,
    "coregit.direction": direction,
  };
  const span = { kind: "consumer", causes: claim.wakeTraces, attributes } as const;
  await frame.deps.tracer.span(`run ${direction}`, span, (run) => runAndTell(frame, { claim, span: run }, signal));
}

type Claimed = { readonly claim: ClaimedSync; readonly span: Span };

async function runAndTell(frame: RunFrame, { claim, span }: Claimed, signal: AbortSignal): Promise<void> {
  const { clock } = frame.deps;
  const { namespace, name, lagMs } = claim;
  const logger = frame.deps.logger.child({ sync: claim.lease.syncId, namespace, name });
  const deps = { ...frame.deps, logger };
  const startedMs = clock.monotonic();
  const { direction } = claim.spec;
  frame.metrics.runStarted(direction);
  const { ending, runId } = await attempt(frame, { deps, claim, startedMs }, signal);
  const durationMs = Math.round(clock.monotonic() - startedMs);
  if (runId !== null) span.set({ "coregit.run.id": runId });
  if (ending instanceof CoregitError) {
    frame.metrics.runEnded({ direction, status: "error", code: ending.code, durationMs, lagMs });
    span.set({ "coregit.status": "error" });
    span.fail(ending.code);
    logger.warn({ run: runId, durationMs, code: ending.code, error: ending.message }, "Run failed.");
  } else {
    frame.metrics.runEnded({ direction, status: ending, code: null, durationMs, lagMs });
    span.set({ "coregit.status": ending });
    const isNews = ending === "success";
    logger[isNews ? "info" : "debug"]({ run: runId, durationMs, status: ending }, "Run ended.");
  }
}

/** How the run ended, or why it failed. `runId` null: it had not even begun. */
type Ended = { readonly ending: Ending | CoregitError; readonly runId: string | null };

async function attempt(frame: RunFrame, start: Pick<Run, "deps" | "claim" | "startedMs">, stop: AbortSignal): Promise<Ended> {
  using limit = timeLimit(start.claim.spec.timeoutMs);
  const signal = AbortSignal.any([stop, limit.signal]);
  let run: Run | null = null;
  try {
    const { database, store, logger } = start.deps;
    const request = await takeRequest(database, store, start.claim);
    const { runId } = request;
    run = { ...start, deps: { ...start.deps, logger: logger.child({ run: runId }) }, request, signal, progress: newProgress() };
    return { ending: await runDirection(run), runId };
  } catch (thrown) {
    const error = reasonOf(thrown, signal);
    if (error.code === "Internal") start.deps.logger.error({ err: error.cause ?? error }, "A run met a defect.");
    // Without a request nothing has begun: the reaper releases the sync when the lease is over.
    return run === null ? { ending: error, runId: null } : { ending: await record(frame, run, error), runId: run.request.runId };
  }
}

/** Once more when the remote's repository turns out to have another name now. */
async function runDirection(run: Run): Promise<Ending> {
  for (let names = 1; ; names += 1) {
    await using remote = await openRemote(run);
    try {
      return run.claim.spec.direction === "export" ? await runExport(run, remote) : await runImport(run, remote);
    } catch (error) {
      if (names === MAX_NAMES || !(await hasMoved(run, remote, error))) throw error;
    }
  }
}

/** What is recorded: the reason of the abort when there was one, since what the steps throw then only follows from it. */
function reasonOf(thrown: unknown, signal: AbortSignal): CoregitError {
  return toCoregitError(signal.aborted ? signal.reason : thrown);
}

/**
 * Records a failure. A COMMIT whose answer was lost may have recorded the run already: then the lease is gone and the
 * run's row says how it ended.
 */
async function record(frame: RunFrame, run: Run, error: CoregitError): Promise<Ending | CoregitError> {
  const { clock, logger } = run.deps;
  const deadlineMs = clock.monotonic() + frame.leaseMs;
  for (;;) {
    const failure = await recordOnce(run, error);
    if (failure === "recorded") return error;
    if (failure === "was recorded") return "success";
    if (failure.code !== "DatabaseUnavailable" || clock.monotonic() > deadlineMs) {
      logger.error({ err: failure }, "A failed run could not be recorded; it is closed when its lease ends.");
      return error;
    }
    await pause(RECORD_RETRY_MS);
  }
}

async function recordOnce(run: Run, error: CoregitError): Promise<"recorded" | "was recorded" | CoregitError> {
  try {
    const isHeld = await recordFailure(run, error);
    return !isHeld && (await wasRecorded(run)) ? "was recorded" : "recorded";
  } catch (failure) {
    return toCoregitError(failure);
  }
}

function timeLimit(timeoutMs: number): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new CoregitError("Timeout", `The run took longer than its timeout of ${formatDuration(timeoutMs)}.`)),
    Math.min(timeoutMs, LONGEST_TIMER_MS),
  );
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}
