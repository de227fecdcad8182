import { z } from "zod";
import { count, direction, managedBy, provider, rowId, sha, time } from "./fields.ts";

const lastResult = {
  last_synced_sha: sha.nullable().describe("Source commit of the last success."),
  last_synced_at: time.nullable(),
  last_error: z.string().nullable(),
  last_error_code: z.string().nullable(),
};

export const syncConfig = z
  .strictObject({
    id: rowId,
    connection_id: rowId.nullable(),
    provider,
    remote: z.string(),
    branch: z.string(),
    direction,
    auto_sync: z.boolean(),
    ...lastResult,
    managed_by: managedBy,
    connection: z.strictObject({ label: z.string(), external_username: z.string().nullable() }).nullable(),
  })
  .meta({ id: "SyncConfig" });

export const syncConfigAnswer = z.strictObject({ config: syncConfig.nullable().describe("null: the repository has no sync.") });

export const newSyncConfigAnswer = z.strictObject({
  id: rowId,
  repo_id: rowId,
  connection_id: rowId,
  provider,
  remote: z.string(),
  branch: z.string(),
  direction,
  auto_sync: z.boolean(),
  webhook_id: z.int().nullable().describe("The provider's id of the webhook; null: there is none."),
});

const runSummary = z.strictObject({
  id: rowId,
  status: z.enum(["running", "success", "skipped", "error"]),
  message: z.string(),
  added: count,
  modified: count,
  deleted: count,
  started_at: time,
  completed_at: time.nullable(),
});

const webhook = z.strictObject({
  id: z.string().nullable().describe("The provider's."),
  url: z.string().nullable(),
  state: z.enum(["Pending", "Active", "Unavailable"]).describe("`Unavailable`: the sync polls; `message` says why."),
  message: z.string().nullable(),
  last_delivery_at: time.nullable().describe("To the minute."),
});

const changeCounts = { added: count, modified: count, deleted: count };

export const syncAnswer = z
  .strictObject({
    id: rowId,
    namespace: z.string(),
    name: z.string(),
    managed_by: managedBy,
    repository: z.strictObject({ id: rowId, namespace: z.string(), slug: z.string() }),
    connection: z.string().nullable(),
    connection_id: rowId.nullable(),
    provider,
    remote: z.string(),
    direction,
    branch: z.string().nullable(),
    remote_branch: z.string().nullable(),
    auto_sync: z.boolean(),
    interval_ms: count,
    suspended: z.boolean(),
    ready: z.enum(["True", "False"]),
    reason: z.string(),
    message: z.string(),
    mode: z.enum(["Apply", "Plan"]),
    running: z.boolean(),
    pending: z.boolean().describe("The declaration changed and no run has finished since."),
    failures: count.describe("In a row, since the last success."),
    next_run_at: time.nullable(),
    created_at: time,
    ...lastResult,
    remote_sha: sha.nullable(),
    local_sha: sha.nullable(),
    last_run: runSummary.nullable().describe("The last run that changed something or failed."),
    webhook: webhook.nullable().describe("Of an import with auto_sync."),
    plan: z.strictObject({ ...changeCounts, paths: z.array(z.string()) }).nullable(),
  })
  .meta({ id: "Sync" });

export const syncsAnswer = z.strictObject({ syncs: z.array(syncAnswer) });

/** A run that was waited for. */
export const syncedAnswer = z.strictObject({
  synced: z.boolean().describe("false: there was nothing to do."),
  remote_sha: sha.nullable(),
  commit_sha: sha.nullable(),
  files_changed: count,
  deleted: count,
  direction,
});

export const plan = z
  .strictObject({ ...changeCounts, paths: z.array(z.string()), conflicts: z.array(z.string()) })
  .meta({ id: "Plan" });

/** A dry run. */
export const plannedAnswer = z.strictObject({ plan });

/** A run that was not waited for. */
export const askedRunAnswer = z.strictObject({ run_id: rowId });
