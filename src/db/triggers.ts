// Requests for a run: rows of `triggers`. A trigger is open until the run that took it has ended.
import type { SyncMode } from "../domain/sync-spec.ts";
import type { Queryable, Transaction } from "./database.ts";

export type Trigger = {
  readonly id: string;
  readonly branch: string | null;
  readonly mode: SyncMode;
  readonly runId: string;
};

export type NewTrigger = Omit<Trigger, "runId"> & {
  readonly syncId: string;
  /** The run's id unless an open trigger of the same branch and mode has promised another. */
  readonly runId: string;
};

const ASK = `
  UPDATE syncs SET trigger_at = LEAST(trigger_at, now())
  WHERE id = $1 AND NOT suspended`;

const INSERT = `
  INSERT INTO triggers (id, sync_id, branch, mode, run_id)
  VALUES ($1, $2, $3, $4, COALESCE(
    (SELECT run_id FROM triggers
      WHERE sync_id = $2 AND branch IS NOT DISTINCT FROM $3 AND mode = $4 AND settled_at IS NULL AND epoch IS NULL
      ORDER BY created_at LIMIT 1), $5))
  RETURNING run_id`;

/**
 * Makes a trigger and its sync due. Locks the sync's row first, so that triggers of one sync come one after another and
 * agree on the run's id. Returns the id of the run that will answer; null: there is no such sync or it is suspended.
 */
export async function insertTrigger(tx: Transaction, trigger: NewTrigger): Promise<string | null> {
  const { rowCount } = await tx.query(ASK, [trigger.syncId]);
  if (rowCount === 0) return null;
  const { rows } = await tx.query<{ run_id: string }>(INSERT, [
    trigger.id,
    trigger.syncId,
    trigger.branch,
    trigger.mode,
    trigger.runId,
  ]);
  return rows[0]?.run_id ?? null;
}

type TriggerRow = { readonly id: string; readonly branch: string | null; readonly mode: SyncMode; readonly run_id: string };

/** The open triggers of a sync, oldest first. */
export async function listOpenTriggers(db: Queryable, syncId: string): Promise<Trigger[]> {
  const { rows } = await db.query<TriggerRow>(
    "SELECT id, branch, mode, run_id FROM triggers WHERE sync_id = $1 AND settled_at IS NULL ORDER BY created_at, id",
    [syncId],
    "list-open-triggers",
  );
  return rows.map((row) => ({ id: row.id, branch: row.branch, mode: row.mode, runId: row.run_id }));
}

/** Marks triggers as taken by the run of a lease. */
export async function takeTriggers(
  db: Queryable,
  ids: readonly string[],
  by: { readonly runId: string; readonly epoch: number },
): Promise<void> {
  await db.query("UPDATE triggers SET run_id = $2, epoch = $3 WHERE id = ANY($1)", [ids, by.runId, by.epoch]);
}

/** Gives triggers back that a run had taken and could not answer: the sync is due for them again. */
export async function reopenTriggers(tx: Transaction, syncId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.query("UPDATE triggers SET epoch = NULL WHERE id = ANY($1)", [ids]);
  await tx.query(ASK, [syncId]);
}

export async function settleTriggers(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query("UPDATE triggers SET settled_at = now() WHERE id = ANY($1)", [ids]);
}

/** The run that a trigger waits for or was answered by; null: the trigger is gone, with its sync. */
export async function readTrigger(
  db: Queryable,
  id: string,
): Promise<{ readonly runId: string; readonly isSettled: boolean; readonly isSuspended: boolean } | null> {
  const { rows } = await db.query<{ run_id: string; is_settled: boolean; suspended: boolean }>(
    `SELECT t.run_id, t.settled_at IS NOT NULL AS is_settled, s.suspended
     FROM triggers t JOIN syncs s ON s.id = t.sync_id WHERE t.id = $1`,
    [id],
  );
  const [row] = rows;
  return row === undefined ? null : { runId: row.run_id, isSettled: row.is_settled, isSuspended: row.suspended };
}

/** Removes a trigger that nobody waits for any more. The run, if it has begun, goes on. */
export async function deleteTrigger(db: Queryable, id: string): Promise<void> {
  await db.query("DELETE FROM triggers WHERE id = $1", [id]);
}

/** Removes settled triggers of a sync that are older than a day: their waiters have long read the answer or left. */
export async function deleteOldTriggers(db: Queryable, syncId: string): Promise<void> {
  await db.query("DELETE FROM triggers WHERE sync_id = $1 AND settled_at < now() - interval '1 day'", [syncId]);
}
