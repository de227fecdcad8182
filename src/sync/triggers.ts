// Asking for a run and waiting for its answer, from any process: a row in `triggers` makes the sync due, whichever worker
// claims it answers, and a notification brings the answer back.
//
// Triggers of one branch and mode that wait at the same time are answered by one run. A branch in a trigger stands for both
// sides in that run; such a run plans from a sync point of its own branch, so that repeating it is incremental, and it leaves
// status, schedule and sync point of the declared branch alone.
import { CHANNELS, type Database } from "../db/database.ts";
import { notify } from "../db/notify.ts";
import { newRowId } from "../db/row-id.ts";
import { type RunRecord, readRun } from "../db/runs.ts";
import { readSyncStatus } from "../db/sync-status.ts";
import { deleteOldTriggers, deleteTrigger, insertTrigger, readTrigger } from "../db/triggers.ts";
import { rememberWake } from "../db/wake-traces.ts";
import { CoregitError } from "../domain/errors.ts";
import { branchRef } from "../domain/ref-name.ts";
import type { SyncMode } from "../domain/sync-spec.ts";
import { noTracer, type Tracer } from "../domain/tracer.ts";

export type TriggerRequest = {
  /** Branch of both sides for this run alone; absent: as declared. */
  readonly branch?: string | null;
  /** Plan reports and writes nothing, whatever is declared. Absent: as declared. */
  readonly mode?: SyncMode;
};

export interface Triggers {
  /**
   * Asks for a run and resolves with it when it has ended, however it ended.
   * @throws CoregitError `SyncNotFound`, `Suspended` (also when it is suspended meanwhile), `RefNameRefused`, and the reason
   *   of `signal` when that is aborted first; the run, if it has begun, goes on.
   */
  run(syncId: string, request: TriggerRequest, signal: AbortSignal): Promise<RunRecord>;
  /** Asks for a run and resolves with the id that its row will have. Throws as `run`. */
  ask(syncId: string, request: TriggerRequest): Promise<{ readonly runId: string }>;
}

export function openTriggers(database: Database, tracer: Tracer = noTracer): Triggers {
  const asked = (syncId: string, request: TriggerRequest): Asked => {
    return { syncId, request, traceparent: tracer.current()?.traceparent ?? null };
  };
  return {
    run: (syncId, request, signal) => runAndWait(database, asked(syncId, request), signal),
    async ask(syncId, request) {
      const { runId } = await insert(database, asked(syncId, request));
      return { runId };
    },
  };
}

type Asked = { readonly syncId: string; readonly request: TriggerRequest; readonly traceparent: string | null };

async function runAndWait(database: Database, asked: Asked, signal: AbortSignal): Promise<RunRecord> {
  const { syncId } = asked;
  signal.throwIfAborted();
  let wake = Promise.withResolvers<void>();
  const onNews = (): void => wake.resolve();
  // Listening comes first: an answer that arrives before the first look would be missed.
  await using _listener = await database.listen(CHANNELS.runEnded, {
    onMessage: (payload) => (payload === syncId ? onNews() : undefined),
    onGap: onNews,
  });
  signal.addEventListener("abort", onNews, { once: true });
  // An abort while the listener was being set up has reached nobody.
  signal.throwIfAborted();
  using _listening = { [Symbol.dispose]: () => signal.removeEventListener("abort", onNews) };
  const { id } = await insert(database, asked);
  try {
    for (;;) {
      const answer = await readAnswer(database, id);
      if (answer !== null) return answer;
      await wake.promise;
      wake = Promise.withResolvers<void>();
      signal.throwIfAborted();
    }
  } catch (error) {
    await deleteTrigger(database, id).catch(() => undefined);
    throw error;
  }
}

async function insert(database: Database, { syncId, request, traceparent }: Asked) {
  const branch = request.branch ?? null;
  if (branch !== null) branchRef(branch);
  const sync = await readSyncStatus(database, syncId);
  if (sync === null) throw new CoregitError("SyncNotFound", `There is no sync ${syncId}.`);
  const id = newRowId("trigger");
  const mode = request.mode ?? sync.spec.mode;
  const runId = await database.transaction(async (tx) => {
    const promised = await insertTrigger(tx, { id, syncId, branch, mode, runId: newRowId("run") });
    if (promised === null) throw suspended();
    await deleteOldTriggers(tx, syncId);
    await rememberWake(tx, [syncId], traceparent);
    await notify(tx, "syncDue", [syncId]);
    return promised;
  });
  return { id, runId };
}

/** The run that settled the trigger, or null while there is none. */
async function readAnswer(database: Database, id: string): Promise<RunRecord | null> {
  const trigger = await readTrigger(database, id);
  if (trigger === null) throw new CoregitError("SyncNotFound", "The sync was removed before it ran.");
  if (trigger.isSettled) return readRun(database, trigger.runId);
  if (trigger.isSuspended) throw suspended();
  return null;
}

function suspended(): CoregitError {
  return new CoregitError("Suspended", "The sync is suspended.");
}
