import { z } from "zod";
import { count, direction, nextCursor, rowId, sha, time } from "./fields.ts";
import { plan } from "./sync.ts";

/** A run in a repository's history. */
export const historyRunAnswer = z
  .strictObject({
    id: rowId,
    sync_id: rowId,
    status: z.enum(["running", "success", "skipped", "error"]),
    message: z.string(),
    remote_sha: sha.nullable(),
    commit_sha: sha.nullable(),
    files_changed: count,
    deleted: count,
    code: z.string().nullable().describe("Why it failed, as errors of the API have it."),
    details: z.record(z.string(), z.unknown()).exactOptional(),
    started_at: time,
    completed_at: time.nullable(),
  })
  .meta({ id: "HistoryRun" });

export const historyAnswer = z.strictObject({ runs: z.array(historyRunAnswer), next_cursor: nextCursor });

export const runAnswer = z
  .strictObject({
    ...historyRunAnswer.shape,
    repository_id: rowId,
    direction,
    branch: z.string().nullable(),
    added: count,
    modified: count,
    attempts: count,
    remote_calls: count,
    received_bytes: count,
    plan: plan.nullable(),
    trace_id: z.string().nullable().describe("The trace that it is part of; null where none was recorded."),
  })
  .meta({ id: "Run" });

export const runsAnswer = z.strictObject({ runs: z.array(runAnswer), next_cursor: nextCursor });
