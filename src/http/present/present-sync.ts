// A sync as the API shows it: `/sync/config` as its page has it, and the longer form of lists and watches.
import type { RunSummary, SyncStatus, WebhookStatus } from "../../domain/declaration.ts";
import { managedBy } from "../../domain/managed-by.ts";
import { readyState } from "../../resources/status.ts";
import type { ConnectionListing } from "../../sync/catalog.ts";
import type { AnswerOf } from "../answers/answer-of.ts";
import type { syncAnswer, syncConfig } from "../answers/sync.ts";

/** `/sync/config`. `connection` is the row that the sync uses, null: none or missing. */
export function presentSyncConfig(
  sync: SyncStatus,
  connection: ConnectionListing | null,
  defaultBranch: string,
): AnswerOf<typeof syncConfig> {
  return {
    id: sync.id,
    connection_id: sync.connectionId,
    provider: sync.provider,
    remote: sync.spec.remote,
    branch: localBranchOf(sync) ?? defaultBranch,
    direction: sync.spec.direction,
    auto_sync: sync.spec.autoSync,
    last_synced_sha: sync.lastSyncedSha,
    last_synced_at: sync.lastSyncedAt,
    last_error: sync.lastError,
    last_error_code: sync.lastErrorCode,
    managed_by: managedBy(sync.owner, "RepoSync", sync),
    connection: connection === null ? null : { label: connection.label, external_username: connection.externalUsername },
  };
}

/** A sync in lists and watches. */
export function presentSync(sync: SyncStatus): AnswerOf<typeof syncAnswer> {
  const { spec } = sync;
  const ready = readyState(sync);
  return {
    id: sync.id,
    namespace: sync.namespace,
    name: sync.name,
    managed_by: managedBy(sync.owner, "RepoSync", sync),
    repository: sync.repository,
    connection: sync.connection,
    connection_id: sync.connectionId,
    provider: sync.provider,
    remote: spec.remote,
    direction: spec.direction,
    branch: localBranchOf(sync),
    remote_branch: spec.remoteBranch ?? sync.remoteBranch,
    auto_sync: spec.autoSync,
    interval_ms: spec.intervalMs,
    suspended: spec.suspend,
    ready: ready.ready,
    reason: ready.reason,
    message: ready.message,
    mode: spec.mode,
    running: sync.isRunning,
    pending: sync.handledGeneration < sync.generation,
    failures: sync.failures,
    next_run_at: sync.nextRunAt,
    created_at: sync.createdAt,
    last_synced_sha: sync.lastSyncedSha,
    last_synced_at: sync.lastSyncedAt,
    last_error: sync.lastError,
    last_error_code: sync.lastErrorCode,
    remote_sha: sync.remoteSha,
    local_sha: sync.localSha,
    last_run: sync.lastRun === null ? null : presentRunSummary(sync.lastRun),
    webhook: sync.webhook === null ? null : presentWebhook(sync.webhook),
    plan: sync.plan,
  };
}

function presentWebhook({ id, url, state, message, lastDeliveryAt }: WebhookStatus) {
  return { id, url, state, message, last_delivery_at: lastDeliveryAt };
}

function presentRunSummary(run: RunSummary) {
  const { id, status, message, added, modified, deleted } = run;
  return { id, status, message, added, modified, deleted, started_at: run.startedAt, completed_at: run.completedAt };
}

function localBranchOf(sync: SyncStatus): string | null {
  return sync.spec.branch ?? sync.localBranch;
}
