// The sync of one repository: its configuration, its runs now and its history.
import type { RepositoryAddress } from "./address.ts";
import type { Calls } from "./calls.ts";
import type { Page } from "./paginate.ts";
import type { RequestOptions, Result } from "./result.ts";
import type { HistoryRun, Plan } from "./runs.ts";
import type { Direction, Provider, Sync } from "./syncs.ts";

export type CreateSyncConfig = {
  readonly connection_id: string;
  /** `owner/repo` on GitHub, `group/project` on GitLab, a URL for any other git server. */
  readonly remote: string;
  /** Default: `import`. */
  readonly direction?: Direction | undefined;
  /** Default: the repository's default branch. */
  readonly branch?: string | undefined;
  /** Import: by the provider's webhook; export: after each change of the branch. Default: false. */
  readonly auto_sync?: boolean | undefined;
};

/** Fields that are left out stay as they are. */
export type UpdateSyncConfig = {
  readonly remote?: string | undefined;
  readonly direction?: Direction | undefined;
  readonly branch?: string | undefined;
  readonly auto_sync?: boolean | undefined;
};

export type NewSyncConfig = {
  readonly id: string;
  readonly repo_id: string;
  readonly connection_id: string;
  readonly provider: Provider;
  readonly remote: string;
  readonly branch: string;
  readonly direction: Direction;
  readonly auto_sync: boolean;
  /** The provider's id of the webhook; null: there is none. */
  readonly webhook_id: number | null;
};

export type SyncConfig = {
  readonly id: string;
  readonly connection_id: string | null;
  readonly provider: Provider;
  readonly remote: string;
  readonly branch: string;
  readonly direction: Direction;
  readonly auto_sync: boolean;
  /** Source commit of the last success. */
  readonly last_synced_sha: string | null;
  readonly last_synced_at: string | null;
  readonly last_error: string | null;
  readonly last_error_code: string | null;
  /** The resource or manifest that declares it and alone may change it; null: the API itself. */
  readonly managed_by: string | null;
  readonly connection: { readonly label: string; readonly external_username: string | null } | null;
};

/** What a webhook is set up with by hand. */
export type ManualWebhook = { readonly url: string; readonly secret: string };

export type TriggerSync = {
  readonly sync_id: string;
  /** For this run in place of the configured branch, on both sides. */
  readonly branch?: string | undefined;
  /** Plan only; default false. */
  readonly dry_run?: boolean | undefined;
  /** Answer when the run has ended; default true. */
  readonly wait?: boolean | undefined;
};

/** What a run did that was waited for. */
export type SyncRun = {
  /** false: there was nothing to do. */
  readonly synced: boolean;
  /** The remote's head after the run. */
  readonly remote_sha: string | null;
  /** The commit that the run made, on whichever side; null: none. */
  readonly commit_sha: string | null;
  /** Added and modified. */
  readonly files_changed: number;
  readonly deleted: number;
  readonly direction: Direction;
};

/** The run's id, when it was not waited for. */
export type AskedRun = { readonly run_id: string };

/** What a run would do. */
export type PlannedRun = { readonly plan: Plan };

export type HistoryPage = Page & { readonly runs: readonly HistoryRun[] };

export interface SyncApi {
  /** Needs the master key, as all that changes something here does. */
  createConfig(repository: RepositoryAddress, config: CreateSyncConfig, options?: RequestOptions): Promise<Result<NewSyncConfig>>;
  /** `config` is null where there is none. */
  getConfig(repository: RepositoryAddress, options?: RequestOptions): Promise<Result<{ readonly config: SyncConfig | null }>>;
  updateConfig(
    repository: RepositoryAddress,
    changes: UpdateSyncConfig,
    options?: RequestOptions,
  ): Promise<Result<{ readonly updated: true }>>;
  deleteConfig(repository: RepositoryAddress, options?: RequestOptions): Promise<Result<{ readonly deleted: true }>>;
  /** For an import with auto_sync from a server of provider `git`. `sync_id`: default the sync that `getConfig` answers. */
  getWebhook(
    repository: RepositoryAddress,
    query?: { readonly sync_id?: string | undefined },
    options?: RequestOptions,
  ): Promise<Result<ManualWebhook>>;
  /** Another secret; deliveries signed with the one before are refused from then on. */
  rotateWebhook(
    repository: RepositoryAddress,
    query?: { readonly sync_id?: string | undefined },
    options?: RequestOptions,
  ): Promise<Result<ManualWebhook>>;
  /** Runs now and waits for the run. A run that fails is an error with its `code` and `run_id`. */
  trigger(
    repository: RepositoryAddress,
    trigger: TriggerSync & { readonly dry_run?: false | undefined; readonly wait?: true | undefined },
    options?: RequestOptions,
  ): Promise<Result<SyncRun>>;
  /** `wait: false` answers at once; `git.runs.get` tells how the run goes. */
  trigger(
    repository: RepositoryAddress,
    trigger: TriggerSync & { readonly wait: false },
    options?: RequestOptions,
  ): Promise<Result<AskedRun>>;
  /** `dry_run: true` answers what a run would do, and changes nothing. */
  trigger(
    repository: RepositoryAddress,
    trigger: TriggerSync & { readonly dry_run: true; readonly wait?: true | undefined },
    options?: RequestOptions,
  ): Promise<Result<PlannedRun>>;
  /** Any of them, where it is not known beforehand which. */
  trigger(
    repository: RepositoryAddress,
    trigger: TriggerSync,
    options?: RequestOptions,
  ): Promise<Result<SyncRun | AskedRun | PlannedRun>>;
  /** Runs of all syncs of the repository, newest first. `limit` is 1 to 100, default 20. */
  history(
    repository: RepositoryAddress,
    query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
    options?: RequestOptions,
  ): Promise<Result<HistoryPage>>;
  /** All syncs of the repository, however declared. */
  list(repository: RepositoryAddress, options?: RequestOptions): Promise<Result<{ readonly syncs: readonly Sync[] }>>;
}

export function createSyncApi(calls: Calls): SyncApi {
  const config = ["sync", "config"];
  return {
    createConfig: (repository, body, options) => calls.json({ method: "POST", repository, path: config, body, options }),
    getConfig: (repository, options) => calls.json({ method: "GET", repository, path: config, options }),
    updateConfig: (repository, body, options) => calls.json({ method: "PATCH", repository, path: config, body, options }),
    deleteConfig: (repository, options) => calls.json({ method: "DELETE", repository, path: config, options }),
    getWebhook: (repository, query, options) =>
      calls.json({ method: "GET", repository, path: ["sync", "webhook"], query, options }),
    rotateWebhook: (repository, query, options) =>
      calls.json({ method: "POST", repository, path: ["sync", "webhook"], query, options }),
    // Which of the answers comes is decided by the arguments, as the overloads say.
    trigger: (repository: RepositoryAddress, body: TriggerSync, options?: RequestOptions) =>
      calls.json<never>({ method: "POST", repository, path: ["sync"], body, options }),
    history: (repository, query, options) => calls.json({ method: "GET", repository, path: ["sync", "history"], query, options }),
    list: (repository, options) => calls.json({ method: "GET", repository, path: ["syncs"], options }),
  };
}
