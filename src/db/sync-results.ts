// What a run leaves in a row of `syncs`. Written only in a transaction that holds or ends the run's lease.
import type { SyncStatus } from "../domain/declaration.ts";
import type { ErrorCode, ErrorDetails } from "../domain/errors.ts";
import type { Queryable } from "./database.ts";

/** The heads that a run drew its conclusion from; null: no such branch. The same heads again mean that there is nothing to do. */
export type SeenHeads = { readonly remote: string | null; readonly local: string | null };

export type SyncedResult = {
  readonly generation: number;
  readonly seen: SeenHeads;
  readonly lastSyncedSha: string;
  readonly remoteSha: string;
  readonly localSha: string | null;
  readonly remoteBranch: string;
  readonly localBranch: string;
  /** The run, when it changed something; null leaves the last one that did. */
  readonly runId: string | null;
};

/** The sync is in step: no error any more. */
export async function writeSynced(db: Queryable, syncId: string, result: SyncedResult): Promise<void> {
  await db.query(
    `UPDATE syncs SET handled_generation = $2, seen_generation = $2, seen_remote = $3, seen_local = $4, failures = 0,
       last_error = NULL, last_error_code = NULL, last_error_details = NULL, plan = NULL,
       last_synced_sha = $5, last_synced_at = now(), remote_sha = $6, local_sha = $7, remote_branch = $8, local_branch = $9,
       last_run_id = COALESCE($10, last_run_id)
     WHERE id = $1`,
    [
      syncId,
      result.generation,
      result.seen.remote,
      result.seen.local,
      result.lastSyncedSha,
      result.remoteSha,
      result.localSha,
      result.remoteBranch,
      result.localBranch,
      result.runId,
    ],
  );
}

/** A run in mode Plan came to its end: what it would do is shown, the sync point stays. */
export async function writePlanned(
  db: Queryable,
  syncId: string,
  result: { readonly generation: number; readonly seen: SeenHeads; readonly plan: NonNullable<SyncStatus["plan"]> },
): Promise<void> {
  await db.query(
    `UPDATE syncs SET handled_generation = $2, seen_generation = $2, seen_remote = $3, seen_local = $4, failures = 0,
       last_error = NULL, last_error_code = NULL, last_error_details = NULL, plan = $5
     WHERE id = $1`,
    [syncId, result.generation, result.seen.remote, result.seen.local, JSON.stringify(result.plan)],
  );
}

export type FailedResult = {
  readonly generation: number;
  readonly failures: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
  /** The heads when the failure is a conclusion that will be the same until one of them moves; else null. */
  readonly seen: SeenHeads | null;
  readonly runId: string;
};

/**
 * The sync failed under this declaration; a row of another generation is left alone, its own run follows.
 * False: nothing that is shown has changed, apart from the count.
 */
export async function writeFailed(db: Queryable, syncId: string, result: FailedResult): Promise<boolean> {
  const { rows } = await db.query<{ is_new: boolean }>(
    `UPDATE syncs s SET handled_generation = $2, failures = $3, last_error = $4, last_error_code = $5,
       last_error_details = $6, seen_generation = $7, seen_remote = $8, seen_local = $9, last_run_id = $10
     FROM (SELECT last_error, handled_generation FROM syncs WHERE id = $1) AS before
     WHERE s.id = $1 AND s.generation = $2
     RETURNING before.last_error IS DISTINCT FROM $4 OR before.handled_generation <> $2 AS is_new`,
    [
      syncId,
      result.generation,
      result.failures,
      result.message,
      result.code,
      JSON.stringify(result.details),
      result.seen === null ? null : result.generation,
      result.seen?.remote ?? null,
      result.seen?.local ?? null,
      result.runId,
    ],
  );
  return rows[0]?.is_new ?? false;
}

/** Nothing was to be done, whatever failed before. True: what is shown has changed. */
export async function writeUnchanged(
  db: Queryable,
  syncId: string,
  result: { readonly generation: number; readonly seen: SeenHeads },
): Promise<boolean> {
  const { rows } = await db.query<{ is_new: boolean }>(
    `UPDATE syncs s SET handled_generation = $2, seen_generation = $2, seen_remote = $3, seen_local = $4, failures = 0,
       last_error = NULL, last_error_code = NULL, last_error_details = NULL
     FROM (SELECT last_error, handled_generation FROM syncs WHERE id = $1) AS before
     WHERE s.id = $1 AND s.generation = $2
     RETURNING before.last_error IS NOT NULL OR before.handled_generation <> $2 AS is_new`,
    [syncId, result.generation, result.seen.remote, result.seen.local],
  );
  return rows[0]?.is_new ?? false;
}

/** A worker died in the middle of these syncs. */
export async function writeInterrupted(
  db: Queryable,
  run: { readonly syncId: string; readonly runId: string; readonly message: string },
): Promise<void> {
  await db.query(
    `UPDATE syncs SET failures = failures + 1, last_error = $2, last_error_code = 'Interrupted', last_error_details = NULL,
       seen_generation = NULL, last_run_id = $3
     WHERE id = $1`,
    [run.syncId, run.message, run.runId],
  );
}
