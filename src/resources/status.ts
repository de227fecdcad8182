// From what the engine knows to what a resource shows. Pure: the same facts give the same status, so that a reconcile that
// changes nothing writes nothing. Messages hold no counters and no times.
import type { RunSummary, SyncStatus, WebhookStatus } from "../domain/declaration.ts";
import { ERROR_CODES, type ErrorCode, retryKind } from "../domain/errors.ts";
import { type ConditionContext, conditionsOf, failedState, type ReadyState, shorten } from "./conditions.ts";
import { PLAN_MAX_PATHS, type RepoSyncStatus } from "./repo-sync-status.ts";

export type StatusContext = Omit<ConditionContext, "previous"> & {
  readonly previous: RepoSyncStatus | undefined;
  /** The requestedAt annotation's value once it has been acted on; absent: the previous one stays. */
  readonly handledReconcileAt?: string | undefined;
};

/** The whole status of a RepoSync. Fields without a value are absent: a patch must remove what is no longer there. */
export function syncStatusToResource(sync: SyncStatus, context: StatusContext): RepoSyncStatus {
  const handledAt = context.handledReconcileAt ?? context.previous?.lastHandledReconcileAt;
  return withoutAbsent({
    observedGeneration: context.generation,
    conditions: conditionsOf(readyState(sync), { ...context, previous: context.previous?.conditions }),
    syncId: sync.id,
    repository: sync.repository.slug,
    branch: sync.localBranch ?? sync.spec.branch,
    lastSyncedSha: sync.lastSyncedSha,
    lastSyncedAt: sync.lastSyncedAt,
    lastError: sync.lastError === null ? null : shorten(sync.lastError),
    remoteSha: sync.remoteSha,
    localSha: sync.localSha,
    lastRun: sync.lastRun === null ? null : showRun(sync.lastRun),
    plan: sync.spec.mode === "Plan" && sync.plan !== null ? showPlan(sync.plan) : null,
    webhook: sync.webhook === null ? null : showWebhook(sync.webhook),
    lastHandledReconcileAt: handledAt,
  });
}

/** The status of a RepoSync whose declaration could not be taken over: what the last sync left stays. */
export function failedSyncStatus(code: ErrorCode, message: string, context: StatusContext): RepoSyncStatus {
  return {
    ...context.previous,
    observedGeneration: context.generation,
    conditions: conditionsOf(failedState(code, message), { ...context, previous: context.previous?.conditions }),
    lastError: shorten(message),
  };
}

/** Whether a sync does what it declares, and if not, who has to act. */
export function readyState(sync: SyncStatus): ReadyState {
  if (sync.spec.suspend) return suspendedState(sync);
  if (sync.handledGeneration < sync.generation) {
    const message =
      sync.lastSyncedSha === null
        ? "The first run has not finished yet."
        : "A run of the changed declaration has not finished yet.";
    return { ready: "False", reason: "Progressing", message, because: "Reconciling" };
  }
  if (sync.lastErrorCode !== null) return failedState(errorCode(sync.lastErrorCode), sync.lastError ?? "The last run failed.");
  if (sync.spec.mode === "Plan") return { ready: "True", reason: "Planned", message: planMessage(sync) };
  return { ready: "True", reason: "Synced", message: syncedMessage(sync) };
}

function suspendedState(sync: SyncStatus): ReadyState {
  if (sync.lastErrorCode !== null) {
    const code = errorCode(sync.lastErrorCode);
    const message = `Suspended. ${sync.lastError ?? "The last run failed."}`;
    return { ready: "False", reason: code, message, ...(retryKind(code) === "terminal" ? { because: "Stalled" as const } : {}) };
  }
  if (sync.lastSyncedSha === null) return { ready: "False", reason: "Suspended", message: "Suspended before its first success." };
  return { ready: "True", reason: "Suspended", message: `Suspended. ${syncedMessage(sync)}` };
}

function syncedMessage({ spec, lastSyncedSha, remoteBranch, localBranch, repository }: SyncStatus): string {
  const sha = lastSyncedSha?.slice(0, 8) ?? "its last commit";
  return spec.direction === "import"
    ? `Imported ${spec.remote}${onBranch(remoteBranch)} at ${sha}.`
    : `Exported ${repository.slug}${onBranch(localBranch)} at ${sha} to ${spec.remote}.`;
}

function planMessage({ plan, spec }: SyncStatus): string {
  const { added, modified, deleted } = plan ?? { added: 0, modified: 0, deleted: 0 };
  if (added + modified + deleted === 0) return `In step with ${spec.remote}: a run would change nothing.`;
  return `A run would add ${added}, change ${modified} and delete ${deleted}; mode Plan writes nothing.`;
}

function onBranch(branch: string | null): string {
  return branch === null ? "" : ` ${branch}`;
}

function errorCode(code: string): ErrorCode {
  return Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : "Internal";
}

function showRun({ completedAt, message, ...run }: RunSummary): RepoSyncStatus["lastRun"] {
  return { ...run, message: shorten(message), ...(completedAt === null ? {} : { completedAt }) };
}

function showWebhook({ id, url, state, message, lastDeliveryAt }: WebhookStatus): RepoSyncStatus["webhook"] {
  return {
    state,
    ...(id === null ? {} : { id }),
    ...(url === null ? {} : { url }),
    ...(message === null ? {} : { message: shorten(message) }),
    ...(lastDeliveryAt === null ? {} : { lastDeliveryAt }),
  };
}

function showPlan(plan: NonNullable<SyncStatus["plan"]>): RepoSyncStatus["plan"] {
  return { ...plan, paths: plan.paths.slice(0, PLAN_MAX_PATHS) };
}

type Absent<T> = { [K in keyof T]: T[K] | null };

function withoutAbsent(status: Absent<RepoSyncStatus>): RepoSyncStatus {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== null && value !== undefined));
}
