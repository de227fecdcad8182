// What syncs show: rows of `syncs` with their repository, connection and last run, projected to a SyncStatus.
import type { RunSummary, SyncStatus, WebhookStatus } from "../domain/declaration.ts";
import type { Oid } from "../domain/oid.ts";
import type { Owner, Provider, SyncSpec } from "../domain/sync-spec.ts";
import type { Queryable } from "./database.ts";
import { rowsOf } from "./rows-of.ts";

type StatusRow = {
  readonly id: string;
  readonly owner_kind: Owner["kind"];
  readonly owner_ref: string;
  readonly namespace: string;
  readonly name: string;
  readonly repository_id: string;
  readonly repository_namespace: string;
  readonly repository_slug: string;
  readonly connection_id: string | null;
  readonly connection_name: string | null;
  readonly provider: Provider | null;
  readonly spec: SyncSpec;
  readonly generation: number;
  readonly handled_generation: number;
  readonly is_running: boolean;
  readonly failures: number;
  readonly next_run: Date | null;
  readonly created_at: Date;
  readonly last_synced_sha: Oid | null;
  readonly last_synced_at: Date | null;
  readonly last_error: string | null;
  readonly last_error_code: string | null;
  readonly remote_sha: Oid | null;
  readonly local_sha: Oid | null;
  readonly local_branch: string | null;
  readonly remote_branch: string | null;
  readonly plan: SyncStatus["plan"];
  readonly run_id: string | null;
  readonly run_status: RunSummary["status"];
  readonly run_message: string;
  readonly run_added: number;
  readonly run_modified: number;
  readonly run_deleted: number;
  readonly run_started_at: Date;
  readonly run_completed_at: Date | null;
  readonly webhook_state: WebhookStatus["state"] | null;
  readonly webhook_id: string | null;
  readonly webhook_url: string | null;
  readonly webhook_message: string | null;
  readonly webhook_delivery_at: Date | null;
};

const COLUMNS = `
    s.id, s.owner_kind, s.owner_ref, s.namespace, s.name, s.repository_id, p.namespace AS repository_namespace,
    p.slug AS repository_slug, s.connection_id, s.connection_name, c.provider, s.spec, s.generation, s.handled_generation,
    EXISTS (SELECT 1 FROM runs WHERE runs.sync_id = s.id AND runs.status = 'running') AS is_running, s.failures,
    NULLIF(LEAST(s.next_run_at, s.trigger_at), 'infinity') AS next_run, s.created_at, s.last_synced_sha, s.last_synced_at, s.last_error,
    s.last_error_code, s.remote_sha, s.local_sha, s.local_branch, s.remote_branch, s.plan,
    r.id AS run_id, r.status AS run_status, r.message AS run_message, r.added AS run_added, r.modified AS run_modified,
    r.deleted AS run_deleted, r.started_at AS run_started_at, r.completed_at AS run_completed_at,
    w.state AS webhook_state, w.hook_id AS webhook_id, w.url AS webhook_url, w.message AS webhook_message,
    w.last_delivery_at AS webhook_delivery_at`;

const FROM = `
  FROM syncs s
  JOIN repositories p ON p.id = s.repository_id
  LEFT JOIN connections c ON c.id = s.connection_id
  LEFT JOIN runs r ON r.id = s.last_run_id
  LEFT JOIN webhooks w ON w.sync_id = s.id AND w.retired_at IS NULL`;

const SELECT = `SELECT ${COLUMNS}${FROM}`;

const READ = `
  SELECT found.* FROM ${rowsOf("$1::text[]")} AS wanted (id)
  CROSS JOIN LATERAL (${SELECT} WHERE s.id = wanted.id LIMIT 1) AS found`;

export async function readSyncStatus(db: Queryable, id: string): Promise<SyncStatus | null> {
  const { rows } = await db.query<StatusRow>(`${SELECT} WHERE s.id = $1`, [id]);
  return rows[0] === undefined ? null : toStatus(rows[0]);
}

/** Of each id, in their order; null where there is none. */
export async function readSyncStatuses(db: Queryable, ids: readonly string[]): Promise<(SyncStatus | null)[]> {
  const { rows } = await db.query<StatusRow>(READ, [ids], "read-sync-statuses");
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => {
    const row = found.get(id);
    return row === undefined ? null : toStatus(row);
  });
}

/** Syncs that match every given part of the filter, by namespace and name. */
export async function listSyncStatuses(
  db: Queryable,
  filter: { readonly ownerKind?: Owner["kind"]; readonly namespace?: string; readonly repositoryId?: string },
): Promise<SyncStatus[]> {
  const { rows } = await db.query<StatusRow>(
    `${SELECT}
     WHERE ($1::text IS NULL OR s.owner_kind = $1) AND ($2::text IS NULL OR s.namespace = $2)
       AND ($3::text IS NULL OR s.repository_id = $3)
     ORDER BY s.namespace, s.name, s.id`,
    [filter.ownerKind ?? null, filter.namespace ?? null, filter.repositoryId ?? null],
  );
  return rows.map(toStatus);
}

function toStatus(row: StatusRow): SyncStatus {
  return {
    id: row.id,
    owner: { kind: row.owner_kind, ref: row.owner_ref },
    namespace: row.namespace,
    name: row.name,
    repository: { id: row.repository_id, namespace: row.repository_namespace, slug: row.repository_slug },
    connection: row.connection_name,
    connectionId: row.connection_id,
    provider: row.provider ?? "git",
    spec: row.spec,
    generation: row.generation,
    handledGeneration: row.handled_generation,
    isRunning: row.is_running,
    failures: row.failures,
    nextRunAt: row.next_run?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    lastSyncedSha: row.last_synced_sha,
    lastSyncedAt: row.last_synced_at?.toISOString() ?? null,
    lastError: row.last_error,
    lastErrorCode: row.last_error_code,
    remoteSha: row.remote_sha,
    localSha: row.local_sha,
    localBranch: row.local_branch,
    remoteBranch: row.remote_branch,
    lastRun: toSummary(row),
    webhook: toWebhook(row),
    plan: row.plan,
  };
}

function toWebhook(row: StatusRow): WebhookStatus | null {
  if (row.webhook_state === null) return null;
  return {
    id: row.webhook_id,
    url: row.webhook_url,
    state: row.webhook_state,
    message: row.webhook_message,
    lastDeliveryAt: row.webhook_delivery_at?.toISOString() ?? null,
  };
}

function toSummary(row: StatusRow): RunSummary | null {
  if (row.run_id === null) return null;
  return {
    id: row.run_id,
    status: row.run_status,
    message: row.run_message,
    added: row.run_added,
    modified: row.run_modified,
    deleted: row.run_deleted,
    startedAt: row.run_started_at.toISOString(),
    completedAt: row.run_completed_at?.toISOString() ?? null,
  };
}
