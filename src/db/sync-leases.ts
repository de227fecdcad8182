// Who runs what, and when: claims, heartbeats and the end of leases on rows of `syncs`.
//
// A row is claimed by one worker (`lease_owner`) until `lease_until`, under a number (`lease_epoch`) that every claim moves.
// All times are the database's: workers on machines whose clocks differ agree. Whatever a run writes goes through
// `endLease` in the same transaction, so that a worker that lost its lease writes nothing.

import type { RemoteIdentity } from "../domain/remote-identity.ts";
import type { SyncSpec } from "../domain/sync-spec.ts";
import { DUE_AT, IS_DUE, TURNS } from "./claim-turns.ts";
import type { Queryable, Transaction } from "./database.ts";

/** A claim on one sync. Stale as soon as the row shows another epoch or owner. */
export type Lease = { readonly syncId: string; readonly epoch: number; readonly owner: string };

export type ClaimedSync = {
  readonly lease: Lease;
  readonly namespace: string;
  readonly name: string;
  readonly repositoryId: string;
  readonly connectionId: string | null;
  readonly connectionName: string | null;
  readonly madeRepository: boolean;
  readonly spec: SyncSpec;
  readonly generation: number;
  readonly failures: number;
  readonly lastErrorCode: string | null;
  /** The heads that the last conclusion was drawn from, under which declaration. */
  readonly seen: { readonly generation: number | null; readonly remote: string | null; readonly local: string | null };
  /** The repository that it is tied to at the provider; null: none yet. */
  readonly remoteIdentity: RemoteIdentity | null;
  /** The schedule made it due; false: only a trigger did. */
  readonly isScheduled: boolean;
  /** False: no trigger was open when it was claimed. One that comes later makes it due again when this lease ends. */
  readonly hasTriggers: boolean;
  /** A delivery of its webhook has announced news since the claim before this one. */
  readonly isAnnounced: boolean;
  /** How long it had been due. */
  readonly lagMs: number;
  /** Traceparents of what woke it since the claim before this one, the first in front. */
  readonly wakeTraces: readonly string[];
};

/** What was claimed, and milliseconds until something else is due, and until the first lease ends unless it is renewed; null: never. */
export type Claims = {
  readonly claims: readonly ClaimedSync[];
  readonly dueInMs: number | null;
  readonly leaseEndsInMs: number | null;
};

type WakeRow = { readonly due_ms: number | null; readonly lease_ms: number | null };

type ClaimRow = {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly repository_id: string;
  readonly connection_id: string | null;
  readonly connection_name: string | null;
  readonly made_repository: boolean;
  readonly spec: SyncSpec;
  readonly generation: number;
  readonly failures: number;
  readonly last_error_code: string | null;
  readonly seen_generation: number | null;
  readonly seen_remote: string | null;
  readonly seen_local: string | null;
  readonly remote_identity: RemoteIdentity | null;
  readonly lease_epoch: number;
  readonly is_scheduled: boolean;
  readonly has_triggers: boolean;
  readonly is_announced: boolean;
  readonly lag_ms: number;
  readonly wake_traces: string[];
};

/** One row for each claim, or a row without one, each with the times. A statement does not see what it writes, so claims are added to them. */
const CLAIM = `
  WITH ${TURNS}, due AS (
    SELECT id, next_run_at <= now() AS is_scheduled, trigger_at < 'infinity' AS is_triggered,
           (extract(epoch FROM now() - ${DUE_AT}) * 1000)::float8 AS lag_ms, wake_traces
    FROM syncs
    WHERE id = ANY ((SELECT ids FROM turns)::text[]) AND ${IS_DUE}
    ORDER BY array_position((SELECT ids FROM turns), id)
    LIMIT $1
    FOR UPDATE SKIP LOCKED
  ), claimed AS (
    UPDATE syncs s
    SET lease_owner = $2, lease_until = now() + $3 * interval '1 millisecond', lease_epoch = lease_epoch + 1,
        next_run_at = CASE WHEN due.is_scheduled THEN 'infinity' ELSE s.next_run_at END, trigger_at = 'infinity',
        wake_traces = '{}'
    FROM due
    WHERE s.id = due.id
    RETURNING s.id, s.namespace, s.name, s.repository_id, s.connection_id, s.connection_name, s.made_repository, s.spec,
              s.generation, s.failures, s.last_error_code, s.seen_generation, s.seen_remote, s.seen_local, s.remote_identity,
              s.lease_epoch, due.is_scheduled,
              due.is_triggered OR EXISTS (SELECT 1 FROM triggers t WHERE t.sync_id = s.id AND t.settled_at IS NULL) AS has_triggers,
              COALESCE(s.announced_epoch >= s.lease_epoch - 1, false) AS is_announced, due.lag_ms, due.wake_traces
  ), others AS (
    SELECT
      (SELECT (extract(epoch FROM ${DUE_AT} - now()) * 1000)::float8 FROM syncs
        WHERE lease_owner IS NULL AND NOT suspended AND ${DUE_AT} < 'infinity' AND id <> ALL (ARRAY(SELECT id FROM due))
        ORDER BY ${DUE_AT} LIMIT 1) AS due_ms,
      LEAST(
        (SELECT (extract(epoch FROM min(lease_until) - now()) * 1000)::float8 FROM syncs WHERE lease_owner IS NOT NULL),
        (SELECT $3::float8 FROM due LIMIT 1)) AS lease_ms
  )
  SELECT * FROM others LEFT JOIN claimed ON true`;

/** Claims up to `limit` due syncs, by their namespaces' turns and then those due longest first, in one statement. */
export async function claimDueSyncs(
  db: Queryable,
  claim: { readonly owner: string; readonly limit: number; readonly leaseMs: number },
): Promise<Claims> {
  const values = [claim.limit, claim.owner, claim.leaseMs];
  const { rows } = await db.query<WakeRow & (ClaimRow | { readonly id: null })>(CLAIM, values, "claim-due-syncs");
  return {
    claims: rows.flatMap((row) => (row.id === null ? [] : [toClaim(row, claim.owner)])),
    dueInMs: rows[0]?.due_ms ?? null,
    leaseEndsInMs: rows[0]?.lease_ms ?? null,
  };
}

function toClaim(row: ClaimRow, owner: string): ClaimedSync {
  return {
    lease: { syncId: row.id, epoch: row.lease_epoch, owner },
    namespace: row.namespace,
    name: row.name,
    repositoryId: row.repository_id,
    connectionId: row.connection_id,
    connectionName: row.connection_name,
    madeRepository: row.made_repository,
    spec: row.spec,
    generation: row.generation,
    failures: row.failures,
    lastErrorCode: row.last_error_code,
    seen: {
      generation: row.seen_generation,
      remote: row.seen_remote,
      local: row.seen_local,
    },
    remoteIdentity: row.remote_identity,
    isScheduled: row.is_scheduled,
    hasTriggers: row.has_triggers,
    isAnnounced: row.is_announced,
    lagMs: row.lag_ms,
    wakeTraces: row.wake_traces,
  };
}

const RENEW = `
  UPDATE syncs s SET lease_until = now() + $3 * interval '1 millisecond'
  FROM unnest($1::text[], $2::bigint[]) AS held (id, epoch)
  WHERE s.id = held.id AND s.lease_epoch = held.epoch AND s.lease_owner = $4
  RETURNING s.id, s.suspended, s.generation`;

export type HeldLease = { readonly syncId: string; readonly isSuspended: boolean; readonly generation: number };

/** Extends leases of one owner. What is missing in the answer is lost: taken over, or its sync is gone. */
export async function renewLeases(
  db: Queryable,
  leases: readonly Lease[],
  renewal: { readonly owner: string; readonly leaseMs: number },
): Promise<HeldLease[]> {
  const [ids, epochs] = [leases.map((lease) => lease.syncId), leases.map((lease) => lease.epoch)];
  const values = [ids, epochs, renewal.leaseMs, renewal.owner];
  const { rows } = await db.query<{ id: string; suspended: boolean; generation: number }>(RENEW, values, "renew-leases");
  return rows.map((row) => ({ syncId: row.id, isSuspended: row.suspended, generation: row.generation }));
}

/** When the sync runs next. `keep`: as it stands (a run beside the schedule). `afterMs` null: when something changes. */
export type NextRun = "keep" | { readonly afterMs: number | null };

const END = `
  UPDATE syncs
  SET lease_owner = NULL, lease_until = NULL, updated_at = now(),
      trigger_at = CASE
        WHEN EXISTS (SELECT 1 FROM triggers t WHERE t.sync_id = $1 AND t.settled_at IS NULL AND t.epoch IS DISTINCT FROM $2)
        THEN LEAST(trigger_at, now())
        ELSE trigger_at END,
      quiet_until = CASE WHEN $7::float8 IS NULL THEN quiet_until ELSE now() + $7 * interval '1 millisecond' END,
      next_run_at = CASE
        WHEN suspended THEN 'infinity'
        WHEN next_run_at <= now() AND $7 IS NOT NULL AND announced_epoch = lease_epoch THEN now() + $7 * interval '1 millisecond'
        WHEN $4::boolean OR next_run_at <= now() THEN next_run_at
        WHEN $5::float8 IS NULL THEN 'infinity'
        ELSE now() + $5 * interval '1 millisecond' END
  WHERE id = $1 AND lease_epoch = $2 AND lease_owner = $3 AND ($6::bigint IS NULL OR (generation = $6 AND NOT suspended))`;

/**
 * Gives the lease up and sets the schedule; what became due meanwhile stays due, and triggers that this lease has not
 * taken make it due. `quietMs`: deliveries do so no sooner than that, nor have those done so that came meanwhile; default: at once.
 * False: the lease was lost, or `generation` is given and the declaration has changed or been suspended since; then nothing is
 * written and the caller's transaction must not commit.
 */
export async function endLease(
  db: Queryable,
  lease: Lease,
  end: { readonly nextRun: NextRun; readonly generation: number | null; readonly quietMs?: number | null },
): Promise<boolean> {
  const afterMs = end.nextRun === "keep" ? null : end.nextRun.afterMs;
  const values = [lease.syncId, lease.epoch, lease.owner, end.nextRun === "keep", afterMs, end.generation];
  const { rowCount } = await db.query(END, [...values, end.quietMs ?? null], "end-lease");
  return rowCount === 1;
}

const reapStatement = (isDead: string, lock: string): string => `
  WITH dead AS (
    SELECT id FROM syncs WHERE lease_owner IS NOT NULL AND ${isDead} ${lock}
  )
  UPDATE syncs s
  SET lease_owner = NULL, lease_until = NULL, lease_epoch = lease_epoch + 1, next_run_at = now(), updated_at = now()
  FROM dead WHERE s.id = dead.id
  RETURNING s.id`;

/** A lease of which the row is locked is somebody's who is alive, or is seen in the next look. */
const REAP_EXPIRED = reapStatement("lease_until < now()", "FOR UPDATE SKIP LOCKED");
/** There is no next look before those leases end: it waits for a row that the last words of a dead worker still hold. */
const REAP_OTHERS = reapStatement("(lease_until < now() OR lease_owner <> $1)", "ORDER BY id FOR UPDATE");

/**
 * Ends leases that ran out, whoever's (a worker that could not record a run leaves its own behind), and all leases of others
 * when `isOnlyWorker`; the syncs are due at once.
 * The epoch moves, so that a worker that was only slow finds its lease stale.
 */
export async function endDeadLeases(tx: Transaction, owner: string, isOnlyWorker: boolean): Promise<string[]> {
  const { rows } = isOnlyWorker
    ? await tx.query<{ id: string }>(REAP_OTHERS, [owner])
    : await tx.query<{ id: string }>(REAP_EXPIRED);
  return rows.map((row) => row.id);
}
