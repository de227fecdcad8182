// History: rows of `runs`. One row a run; a failure that only repeats the one before it is folded into that one's row.
import type { ErrorCode, ErrorDetails } from "../domain/errors.ts";
import type { Direction } from "../domain/sync-spec.ts";
import type { Queryable, Row } from "./database.ts";
import type { Lease } from "./sync-leases.ts";

export type RunStatus = "running" | "success" | "skipped" | "error";

/** A row as history shows it. Times are ISO 8601 in UTC. */
export type RunRecord = {
  readonly id: string;
  readonly syncId: string;
  readonly repositoryId: string;
  readonly direction: Direction;
  readonly status: RunStatus;
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly details: ErrorDetails | null;
  readonly branch: string | null;
  readonly remoteSha: string | null;
  readonly commitSha: string | null;
  readonly added: number;
  readonly modified: number;
  readonly deleted: number;
  readonly remoteCalls: number;
  readonly receivedBytes: number;
  readonly attempts: number;
  readonly plan: RunPlan | null;
  readonly startedAt: string;
  readonly completedAt: string | null;
  /** Null: no trace was recorded. */
  readonly traceId: string | null;
};

/** What a run in mode Plan would do. */
export type RunPlan = {
  readonly added: number;
  readonly modified: number;
  readonly deleted: number;
  /** As shown to people; cut off at the limit of who wrote it. */
  readonly paths: readonly string[];
  readonly conflicts: readonly string[];
};

/** Who runs what: the fields that a row has from its beginning. */
export type RunStart = {
  readonly id: string;
  readonly syncId: string;
  readonly repositoryId: string;
  readonly epoch: number;
  readonly direction: Direction;
  /** Monotonic milliseconds since the run began, so that the row's beginning is the database's time. */
  readonly elapsedMs: number;
  readonly traceId: string | null;
};

/** How a run ended: the fields that a row has from its end. */
export type RunEnd = Omit<RunRecord, keyof RunStart | "status" | "attempts" | "startedAt" | "completedAt"> & {
  readonly status: Exclude<RunStatus, "running">;
};

// Whoever ends the lease or removes the sync waits for the row, to close it.
const INSERT_RUNNING = `
  INSERT INTO runs (id, sync_id, repository_id, lease_epoch, direction, status, started_at, trace_id)
  SELECT $1, s.id, s.repository_id, s.lease_epoch, $4, 'running', now() - $5 * interval '1 millisecond', $7
  FROM syncs s WHERE s.id = $2 AND s.lease_epoch = $3 AND s.lease_owner = $6 FOR SHARE
  ON CONFLICT (id) DO NOTHING`;

/** Makes the row of a run that has something to do. False: the lease was lost, nothing is written. */
export async function insertRunning(db: Queryable, run: RunStart, lease: Lease): Promise<boolean> {
  const values = [run.id, run.syncId, run.epoch, run.direction, run.elapsedMs, lease.owner, run.traceId];
  const { rowCount } = await db.query(INSERT_RUNNING, values);
  return rowCount === 1;
}

const WRITE_ENDED = `
  INSERT INTO runs (id, sync_id, repository_id, lease_epoch, direction, started_at,
    status, code, message, details, branch, remote_sha, commit_sha, added, modified, deleted, remote_calls, received_bytes,
    plan, completed_at, trace_id)
  VALUES ($1, $2, $3, $4, $5, now() - $6 * interval '1 millisecond',
    $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, now(), $20)
  ON CONFLICT (id) DO UPDATE SET
    status = excluded.status, code = excluded.code, message = excluded.message, details = excluded.details,
    branch = excluded.branch, remote_sha = excluded.remote_sha, commit_sha = excluded.commit_sha, added = excluded.added,
    modified = excluded.modified, deleted = excluded.deleted, remote_calls = excluded.remote_calls,
    received_bytes = excluded.received_bytes, plan = excluded.plan, completed_at = excluded.completed_at`;

/** Ends a run: completes its row, or makes it when the run had none yet. */
export async function writeEndedRun(db: Queryable, run: RunStart, end: RunEnd): Promise<void> {
  await db.query(WRITE_ENDED, [
    run.id,
    run.syncId,
    run.repositoryId,
    run.epoch,
    run.direction,
    run.elapsedMs,
    end.status,
    end.code,
    end.message,
    end.details === null ? null : JSON.stringify(end.details),
    end.branch,
    end.remoteSha,
    end.commitSha,
    end.added,
    end.modified,
    end.deleted,
    end.remoteCalls,
    end.receivedBytes,
    end.plan === null ? null : JSON.stringify(end.plan),
    run.traceId,
  ]);
}

const FOLD = `
  UPDATE runs SET attempts = attempts + 1, completed_at = now(), remote_calls = remote_calls + $4
  WHERE id = (SELECT id FROM runs WHERE sync_id = $1 AND status <> 'running' ORDER BY started_at DESC, id DESC LIMIT 1)
    AND status = 'error' AND code = $2 AND message = $3
  RETURNING id`;

/**
 * Adds a failure to the row of the run before it when that one ended in the same way, and removes its own row.
 * Returns the id of the row that stands for both, or null when the last run was another.
 */
export async function foldRepeatedFailure(db: Queryable, run: RunStart, end: RunEnd): Promise<string | null> {
  const { rows } = await db.query<{ id: string }>(FOLD, [run.syncId, end.code, end.message, end.remoteCalls]);
  const [row] = rows;
  if (row === undefined) return null;
  await db.query("DELETE FROM runs WHERE id = $1 AND status = 'running'", [run.id]);
  return row.id;
}

const CLOSE_RUNNING = `
  UPDATE runs SET status = 'error', code = $2, message = $3, completed_at = now()
  WHERE sync_id = ANY($1) AND status = 'running'
  RETURNING id, sync_id`;

/** Ends all running rows of these syncs, whoever ran them. */
export async function closeRunningRuns(
  db: Queryable,
  syncIds: readonly string[],
  reason: { readonly code: ErrorCode; readonly message: string },
): Promise<{ readonly id: string; readonly syncId: string }[]> {
  const { rows } = await db.query<{ id: string; sync_id: string }>(CLOSE_RUNNING, [syncIds, reason.code, reason.message]);
  return rows.map((row) => ({ id: row.id, syncId: row.sync_id }));
}

const COLUMNS = `id, sync_id, repository_id, direction, status, code, message, details, branch, remote_sha, commit_sha,
  added, modified, deleted, remote_calls, received_bytes, attempts, plan, started_at, completed_at,
  trace_id, started_at::text AS started_key`;

type RunRow = {
  readonly id: string;
  readonly sync_id: string;
  readonly repository_id: string;
  readonly direction: Direction;
  readonly status: RunStatus;
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly details: Row | null;
  readonly branch: string | null;
  readonly remote_sha: string | null;
  readonly commit_sha: string | null;
  readonly added: number;
  readonly modified: number;
  readonly deleted: number;
  readonly remote_calls: number;
  readonly received_bytes: number;
  readonly attempts: number;
  readonly plan: RunPlan | null;
  readonly started_at: Date;
  readonly completed_at: Date | null;
  readonly trace_id: string | null;
  /** `started_at` in full precision: a Date has milliseconds, the column microseconds. */
  readonly started_key: string;
};

export async function readRun(db: Queryable, id: string): Promise<RunRecord | null> {
  const { rows } = await db.query<RunRow>(`SELECT ${COLUMNS} FROM runs WHERE id = $1`, [id]);
  return rows[0] === undefined ? null : toRecord(rows[0]);
}

/** Where a page of history begins: after this row. */
export type RunPosition = { readonly startedAt: string; readonly id: string };

/** Whose runs: of one repository, of one sync, or of all repositories of a namespace, null: of all. */
export type RunsOf = { readonly repositoryId: string } | { readonly syncId: string } | { readonly namespace: string | null };

/** Runs, newest first, after `after`. */
export async function listRunRows(
  db: Queryable,
  of: RunsOf,
  page: { readonly limit: number; readonly after: RunPosition | null },
): Promise<{ readonly run: RunRecord; readonly position: RunPosition }[]> {
  const [condition, id] = conditionOf(of);
  const text = `SELECT ${COLUMNS} FROM runs
    WHERE ${condition} AND ($2::timestamptz IS NULL OR (started_at, id) < ($2::timestamptz, $3))
    ORDER BY started_at DESC, id DESC LIMIT $4`;
  const { rows } = await db.query<RunRow>(text, [id, page.after?.startedAt ?? null, page.after?.id ?? null, page.limit]);
  return rows.map((row) => ({ run: toRecord(row), position: { startedAt: row.started_key, id: row.id } }));
}

function conditionOf(of: RunsOf): readonly [condition: string, value: string | null] {
  if ("syncId" in of) return ["sync_id = $1", of.syncId];
  if ("repositoryId" in of) return ["repository_id = $1", of.repositoryId];
  const inNamespace = "repository_id IN (SELECT id FROM repositories WHERE namespace = $1)";
  return [`($1::text IS NULL OR ${inNamespace})`, of.namespace];
}

function toRecord(row: RunRow): RunRecord {
  return {
    id: row.id,
    syncId: row.sync_id,
    repositoryId: row.repository_id,
    direction: row.direction,
    status: row.status,
    code: row.code,
    message: row.message,
    details: row.details,
    branch: row.branch,
    remoteSha: row.remote_sha,
    commitSha: row.commit_sha,
    added: row.added,
    modified: row.modified,
    deleted: row.deleted,
    remoteCalls: row.remote_calls,
    receivedBytes: row.received_bytes,
    attempts: row.attempts,
    plan: row.plan,
    startedAt: row.started_at.toISOString(),
    completedAt: row.completed_at?.toISOString() ?? null,
    traceId: row.trace_id,
  };
}
