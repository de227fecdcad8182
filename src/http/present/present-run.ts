// A run as history and `/v1/runs` show it.
import { apiCode } from "../../domain/errors.ts";
import type { RunRecord } from "../../sync/history.ts";
import type { AnswerOf } from "../answers/answer-of.ts";
import type { historyRunAnswer, runAnswer } from "../answers/run.ts";

/** In a repository's history. A run that failed also has its code and what there is to say about it. */
export function presentHistoryRun(run: RunRecord): AnswerOf<typeof historyRunAnswer> {
  return {
    id: run.id,
    sync_id: run.syncId,
    status: run.status,
    message: run.message,
    remote_sha: run.remoteSha,
    commit_sha: run.commitSha,
    files_changed: run.added + run.modified,
    deleted: run.deleted,
    code: run.code === null ? null : apiCode(run.code),
    ...(run.details === null ? {} : { details: run.details }),
    started_at: run.startedAt,
    completed_at: run.completedAt,
  };
}

export function presentRun(run: RunRecord): AnswerOf<typeof runAnswer> {
  return {
    ...presentHistoryRun(run),
    repository_id: run.repositoryId,
    direction: run.direction,
    branch: run.branch,
    added: run.added,
    modified: run.modified,
    attempts: run.attempts,
    remote_calls: run.remoteCalls,
    received_bytes: run.receivedBytes,
    plan: run.plan,
    trace_id: run.traceId,
  };
}
