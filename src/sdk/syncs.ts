// Syncs of all repositories, however declared. Needs the master key.

import type { Calls } from "./calls.ts";
import { readLines } from "./read-lines.ts";
import type { RequestOptions, Result } from "./result.ts";
import type { RunStatus } from "./runs.ts";

export type Provider = "github" | "gitlab" | "git";
export type Direction = "import" | "export";

export type Sync = {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly managed_by: string | null;
  readonly repository: { readonly id: string; readonly namespace: string; readonly slug: string };
  readonly connection: string | null;
  readonly connection_id: string | null;
  readonly provider: Provider;
  readonly remote: string;
  readonly direction: Direction;
  readonly branch: string | null;
  readonly remote_branch: string | null;
  readonly auto_sync: boolean;
  readonly interval_ms: number;
  readonly suspended: boolean;
  readonly ready: "True" | "False";
  readonly reason: string;
  readonly message: string;
  readonly mode: "Apply" | "Plan";
  readonly running: boolean;
  /** The declaration changed and no run has finished since. */
  readonly pending: boolean;
  /** In a row, since the last success. */
  readonly failures: number;
  readonly next_run_at: string | null;
  readonly created_at: string;
  /** Source commit of the last success. */
  readonly last_synced_sha: string | null;
  readonly last_synced_at: string | null;
  readonly last_error: string | null;
  readonly last_error_code: string | null;
  readonly remote_sha: string | null;
  readonly local_sha: string | null;
  /** The last run that changed something or failed. */
  readonly last_run: RunSummary | null;
  /** Of an import with auto_sync. */
  readonly webhook: {
    /** The provider's. */
    readonly id: string | null;
    readonly url: string | null;
    /** `Unavailable`: the sync polls; `message` says why. */
    readonly state: "Pending" | "Active" | "Unavailable";
    readonly message: string | null;
    /** To the minute. */
    readonly last_delivery_at: string | null;
  } | null;
  readonly plan: {
    readonly added: number;
    readonly modified: number;
    readonly deleted: number;
    readonly paths: readonly string[];
  } | null;
};

export type RunSummary = {
  readonly id: string;
  readonly status: RunStatus;
  readonly message: string;
  readonly added: number;
  readonly modified: number;
  readonly deleted: number;
  readonly started_at: string;
  readonly completed_at: string | null;
};

/** `synced` comes once, after all the syncs that there were at the beginning. */
export type SyncEvent =
  | { readonly type: "sync"; readonly sync: Sync }
  | { readonly type: "deleted"; readonly id: string }
  | { readonly type: "synced" };

type OfNamespace = { readonly namespace?: string | undefined };

export interface SyncsApi {
  list(query?: OfNamespace, options?: RequestOptions): Promise<Result<{ readonly syncs: readonly Sync[] }>>;
  get(namespace: string, name: string, options?: RequestOptions): Promise<Result<Sync>>;
  /**
   * Every sync once, then each one again whenever it changes. `timeoutMs` counts until the events begin, `signal` until they
   * end; leaving the loop ends them too. A connection that breaks off is thrown to the loop.
   */
  watch(query?: OfNamespace, options?: RequestOptions): Promise<Result<AsyncGenerator<SyncEvent, void, undefined>>>;
}

export function createSyncsApi(calls: Calls): SyncsApi {
  return {
    list: (query, options) => calls.json({ method: "GET", path: ["syncs"], query, options }),
    get: (namespace, name, options) => calls.json({ method: "GET", path: ["syncs", namespace, name], options }),
    watch: (query, options) => calls.read({ method: "GET", path: ["watch", "syncs"], query, options }, readLines<SyncEvent>),
  };
}
