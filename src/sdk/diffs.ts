// What changed between two commits, or in one.
import type { RepositoryAddress } from "./address.ts";
import type { Calls } from "./calls.ts";
import type { Commit } from "./commits.ts";
import { type CachedRequestOptions, conditionOf } from "./conditional.ts";
import { type FileBytes, readBytes } from "./file-bytes.ts";
import type { RequestOptions, Result } from "./result.ts";

export type ChangedFile = {
  readonly path: string;
  /** The path's bytes, only where they are not UTF-8. */
  readonly path_base64?: string;
  readonly status: "added" | "modified" | "deleted" | "renamed" | "typechanged";
  /** Lines; 0 in binary files. */
  readonly additions: number;
  readonly deletions: number;
  readonly binary: boolean;
  /** null: the file was deleted. */
  readonly mode: string | null;
  readonly sha: string | null;
  /** Where a renamed file was. */
  readonly old_path?: string;
  readonly old_path_base64?: string;
};

type ChangedFiles = {
  /** At most 1,000. */
  readonly files: readonly ChangedFile[];
  /** How many there are in all. */
  readonly changed_files: number;
  readonly additions: number;
  readonly deletions: number;
  /** There are more than are shown. */
  readonly truncated: boolean;
};

/** `files` is what changed from the merge base to the head, `commits` what only the head has, newest first. */
export type Comparison = ChangedFiles & {
  readonly base_sha: string;
  readonly head_sha: string;
  readonly merge_base_sha: string;
  readonly ahead_by: number;
  readonly behind_by: number;
  readonly commits: readonly Commit[];
};

export type Diff = ChangedFiles & {
  /** null: a first commit, compared with nothing. */
  readonly base_sha: string | null;
  readonly head_sha: string;
};

export type CompareQuery = {
  /** Branches, tags or commits. */
  readonly base: string;
  readonly head: string;
  /** Commits that are shown, 1 to 100, which is the default. */
  readonly limit?: number | undefined;
};

/** Two commits, or one commit and its first parent. */
export type DiffRange =
  | {
      readonly base: string;
      readonly head: string;
      /** From where the two parted, not from `base` itself. */
      readonly merge_base?: boolean | undefined;
    }
  | { readonly commit: string };

export interface DiffsApi {
  compare(repository: RepositoryAddress, query: CompareQuery, options?: RequestOptions): Promise<Result<Comparison>>;
  /** The files that changed. */
  files(repository: RepositoryAddress, range: DiffRange, options?: CachedRequestOptions): Promise<Result<Diff>>;
  /** A patch that git applies, of at most 10 MiB. Bytes, because lines of files are not always UTF-8. */
  patch(repository: RepositoryAddress, range: DiffRange, options?: CachedRequestOptions): Promise<Result<FileBytes>>;
}

export function createDiffsApi(calls: Calls): DiffsApi {
  return {
    compare: (repository, query, options) => calls.json({ method: "GET", repository, path: ["compare"], query, options }),
    files: (repository, range, options) =>
      calls.json({ method: "GET", repository, ...targetOf(range, "json"), headers: conditionOf(options), options }),
    patch: (repository, range, options) =>
      calls.read({ method: "GET", repository, ...targetOf(range, "patch"), headers: conditionOf(options), options }, readBytes),
  };
}

function targetOf(range: DiffRange, format: "json" | "patch") {
  if ("commit" in range) return { path: ["commits", range.commit, "diff"], query: { format } };
  return { path: ["diff"], query: { ...range, format } };
}
