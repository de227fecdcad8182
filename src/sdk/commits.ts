import type { RepositoryAddress } from "./address.ts";
import type { Calls } from "./calls.ts";
import { contentOf, type FileChange } from "./file-change.ts";
import type { Page } from "./paginate.ts";
import type { RequestOptions, Result } from "./result.ts";

export type Commit = {
  readonly sha: string;
  /** Without the line breaks that git ends it with. */
  readonly message: string;
  readonly author_name: string;
  readonly author_email: string;
  /** When it was authored, in seconds since the epoch. */
  readonly timestamp: number;
  readonly parents: readonly string[];
};

export type CommitWithTree = Commit & {
  readonly tree: string;
  /** Against the first parent; only when asked for. */
  readonly stats?: CommitStats;
};

export type CommitStats = {
  readonly files_changed: number;
  readonly additions: number;
  readonly deletions: number;
  /** Lines were counted in the first 10,000 files only. */
  readonly truncated: boolean;
};

export type CommitPage = Page & {
  readonly commits: readonly Commit[];
  readonly ref: string;
  /** There may be more, also after an empty page. */
  readonly has_more: boolean;
};

export type NewCommit = {
  readonly sha: string;
  readonly tree_sha: string;
  readonly branch: string;
  readonly parent_sha: string | null;
  /** What the branch was before; null: this commit made it. */
  readonly previous_sha: string | null;
};

export type Identity = {
  readonly name: string;
  readonly email: string;
  /** `2026-01-31T12:00:00+01:00`; default: now. */
  readonly date?: string | undefined;
};

/** At most 1,000 changes of at most 10 MiB each. All are of the files before the commit; a path stands in one of them only. */
export type CreateCommit = {
  readonly branch: string;
  readonly message: string;
  readonly author: Identity;
  readonly changes: readonly FileChange[];
  /** Commit only if this is the branch's head; otherwise 409 `REF_MOVED` with `head_sha`. */
  readonly parent_sha?: string | undefined;
  /** Where `branch` begins when it is not there yet. */
  readonly base_branch?: string | undefined;
  /** Default: the author, now. */
  readonly committer?: Identity | undefined;
  /** Also when nothing would change. */
  readonly allow_empty?: boolean | undefined;
};

export type ListCommits = {
  /** Branch, tag or commit; default: the default branch. */
  readonly ref?: string | undefined;
  /** The same as `ref`. */
  readonly branch?: string | undefined;
  /** Only commits that changed the file or folder there. */
  readonly path?: string | undefined;
  /** 1 to 100, default 20. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
};

export interface CommitsApi {
  /** One commit of all changes, or none. After 503 it may have been made: look at the branch before trying again. */
  create(repository: RepositoryAddress, commit: CreateCommit, options?: RequestOptions): Promise<Result<NewCommit>>;
  /** Newest first. */
  list(repository: RepositoryAddress, query?: ListCommits, options?: RequestOptions): Promise<Result<CommitPage>>;
  /** `sha` may be abbreviated to four digits. */
  get(
    repository: RepositoryAddress,
    sha: string,
    query?: { readonly stats?: boolean | undefined },
    options?: RequestOptions,
  ): Promise<Result<CommitWithTree>>;
}

export function createCommitsApi(calls: Calls): CommitsApi {
  return {
    async create(repository, commit, options) {
      const body = { ...commit, changes: commit.changes.map(contentOf) };
      return await calls.json({ method: "POST", repository, path: ["commits"], body, options });
    },
    list: (repository, query, options) => calls.json({ method: "GET", repository, path: ["commits"], query, options }),
    get: (repository, sha, query, options) => calls.json({ method: "GET", repository, path: ["commits", sha], query, options }),
  };
}
