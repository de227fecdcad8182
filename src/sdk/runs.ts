import type { Calls } from "./calls.ts";
import type { Page } from "./paginate.ts";
import type { RequestOptions, Result } from "./result.ts";

export type RunStatus = "running" | "success" | "skipped" | "error";

/** A run in a repository's history. */
export type HistoryRun = {
  readonly id: string;
  readonly sync_id: string;
  readonly status: RunStatus;
  readonly message: string;
  readonly remote_sha: string | null;
  readonly commit_sha: string | null;
  readonly files_changed: number;
  readonly deleted: number;
  /** Why it failed, as errors of the API have it. */
  readonly code: string | null;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly started_at: string;
  readonly completed_at: string | null;
};

export type Run = HistoryRun & {
  readonly repository_id: string;
  readonly direction: "import" | "export";
  readonly branch: string | null;
  readonly added: number;
  readonly modified: number;
  readonly attempts: number;
  readonly remote_calls: number;
  readonly received_bytes: number;
  readonly plan: Plan | null;
  /** The trace that it is part of; null where none was recorded. */
  readonly trace_id: string | null;
};

/** What a run would change. */
export type Plan = {
  readonly added: number;
  readonly modified: number;
  readonly deleted: number;
  readonly paths: readonly string[];
  readonly conflicts: readonly string[];
};

export type RunPage = Page & { readonly runs: readonly Run[] };

export type ListRuns = {
  /** Of one sync, or else of a namespace. */
  readonly sync_id?: string | undefined;
  readonly namespace?: string | undefined;
  /** 1 to 100, default 20. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
};

export interface RunsApi {
  /** Newest first. Needs the master key. */
  list(query?: ListRuns, options?: RequestOptions): Promise<Result<RunPage>>;
  get(id: string, options?: RequestOptions): Promise<Result<Run>>;
  /** What the run would change, or has. */
  plan(id: string, options?: RequestOptions): Promise<Result<{ readonly plan: Plan }>>;
}

export function createRunsApi(calls: Calls): RunsApi {
  return {
    list: (query, options) => calls.json({ method: "GET", path: ["runs"], query, options }),
    get: (id, options) => calls.json({ method: "GET", path: ["runs", id], options }),
    plan: (id, options) => calls.json({ method: "GET", path: ["runs", id, "plan"], options }),
  };
}
