// What is asked of a commit of files, and what comes of it.
import type { Authorship } from "../domain/commit.ts";
import type { FileChange } from "../domain/file-change.ts";
import type { Oid } from "../domain/oid.ts";

export type CommitRequest = {
  /** Made by this commit when it is not there. */
  readonly branch: string;
  /** Where a branch that is not there yet begins; null: without history. */
  readonly baseBranch: string | null;
  /** What the branch must be; null: whatever it is. */
  readonly parentSha: Oid | null;
  readonly message: string;
  readonly author: Authorship;
  readonly committer: Authorship;
  readonly changes: readonly FileChange[];
  /** A commit that changes nothing is made too. */
  readonly allowEmpty: boolean;
  /** For the reflog, as in a publication. */
  readonly actor: string;
};

export type CommitResult = {
  readonly sha: Oid;
  readonly tree: Oid;
  readonly branch: string;
  /** The commit's parent; null: it is the first. */
  readonly parent: Oid | null;
  /** What the branch was; null: it was not there. */
  readonly previous: Oid | null;
};
