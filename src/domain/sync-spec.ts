// What a sync is declared to do, normalised: defaults applied, durations in milliseconds.
// RepoSync resources, manifests and the API's /sync/config all become this; the engine reads nothing else.

export type Direction = "import" | "export";
export type DivergencePolicy = "Merge" | "Overwrite" | "Fail";
export type SyncMode = "Apply" | "Plan";
export type Transport = "auto" | "api" | "git";
export type Provider = "github" | "gitlab" | "git";

/** At most `count` entries, or at most `percent` of the target's selected entries, may be deleted by one run. */
export type DeletionLimit = { readonly count: number } | { readonly percent: number };

export type SyncSpec = {
  readonly remote: string;
  readonly direction: Direction;
  /** Local branch without `refs/heads/`; null: the repository's default branch, or the remote's HEAD for a repository made by this sync. */
  readonly branch: string | null;
  /** Remote branch; null: the same name as the local one. */
  readonly remoteBranch: string | null;
  readonly autoSync: boolean;
  /** 0 turns polling off. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly suspend: boolean;
  readonly onDivergence: DivergencePolicy;
  readonly maxDeletions: DeletionLimit | null;
  readonly mode: SyncMode;
  /** Globs over paths relative to `path`/`remotePath`; empty include means all. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Folder in the repository, "" for the root; no leading or trailing slash. */
  readonly path: string;
  /** Folder in the remote, "" for the root. */
  readonly remotePath: string;
  readonly commitAuthor: { readonly name: string; readonly email: string } | null;
  readonly messageTemplate: string | null;
  readonly transport: Transport;
};

/** Who declared a row and alone may change it. `ref`: resource uid, manifest key, or "" for the API. */
export type Owner = { readonly kind: "api" | "resource" | "file"; readonly ref: string };
