// The port to a provider's API that makes commits: what `Remote.push` does, said as files instead of as a pack. A capability of
// some remotes. Which of the two carries a plan is for the engine to decide, by what `judge` says here; nothing here falls back.
import type { Signature } from "../domain/commit.ts";
import type { Oid } from "../domain/oid.ts";
import type { Changes } from "../domain/tree-diff.ts";
import type { ApiSession } from "./api-session.ts";
import type { RepositoryLookup } from "./repository-lookup.ts";

/** Content of the blobs that a plan names in `after`. Content-addressed: may be asked for as often as need be. */
export interface BlobReader {
  /** Bytes. @throws CoregitError `ObjectMissing`. */
  size(oid: Oid): Promise<number>;
  /** Whole; `judge` has seen to it that none is larger than the API takes. @throws CoregitError `ObjectMissing`. */
  read(oid: Oid): Promise<Uint8Array>;
}

/** One commit to be made on a branch. */
export type CommitPlan = {
  /** Without `refs/heads/`. */
  readonly branch: string;
  /** The commit that the branch must be at, and its root tree; null: the branch must not exist and is made. */
  readonly expected: { readonly commit: Oid; readonly tree: Oid } | null;
  /** The remote has no refs at all. Then `expected` is null. */
  readonly isEmptyRemote: boolean;
  /**
   * What is different in `tree` from `expected`'s, by path in byte order, never empty: `before` null is a path to be made, `after`
   * null one to be deleted, and both a change of content, mode or kind. Paths are bytes as latin1. A file that becomes a folder is
   * a deleted path with paths below it, and the other way round.
   */
  readonly changes: Changes;
  /** Root tree that the commit must have. */
  readonly tree: Oid;
  readonly message: string;
  /** Author and committer. */
  readonly signature: Signature;
  /** The declaration names the author; else a provider that signs what its App commits may put in the App instead. */
  readonly isAuthorDeclared: boolean;
  readonly blobs: BlobReader;
};

/**
 * What the API can make of a plan.
 * `unsuited`: no sequence of calls gives one commit with that very tree; `reason` ends the sentence "The API … ", for example
 * "writes no symbolic links (docs/link)".
 * `suited`: `calls` is about how many requests it takes, a retry apart; `isSigned`: the provider signs the commit, as it signs none
 * that is pushed.
 */
export type Judgement =
  | { readonly kind: "unsuited"; readonly reason: string }
  | { readonly kind: "suited"; readonly calls: number; readonly isSigned: boolean };

/** The commit as far as the API tells of it. The engine reads over git what is null here, and checks the tree. */
export type MadeCommit = {
  readonly oid: Oid;
  /**
   * Content of the commit object. Only bytes whose hash is `oid`: made again from what the API answers, with the planned tree in
   * it, they prove the tree and the parent.
   */
  readonly content: Uint8Array | null;
};

export interface CommitApi {
  /** Requests made so far by this instance, those of `lookup` included. */
  readonly calls: number;
  /**
   * Which repository it is that `commit` writes to, by a request that `commit` would make and then does not make again; null: it
   * would make none. @throws CoregitError also `TransportUnsuited`, as `commit`.
   */
  readonly lookup: Pick<RepositoryLookup, "path" | "here"> | null;
  /**
   * Whether and how dearly the API carries this plan. Asks the provider nothing; reads blobs as far as it needs to, and stops
   * reading when `calls` has come to `enough`. Safe to repeat.
   * @throws CoregitError `ObjectMissing`, and the reason of `signal`.
   */
  judge(plan: CommitPlan, enough: number, signal: AbortSignal): Promise<Judgement>;
  /**
   * Makes one commit on top of `expected` and moves the branch to it, never by force. Only for a plan that `judge` finds suited.
   * Resolves when the branch has got the commit. Objects that are made before the branch moves are repeated on failure as often
   * as it makes sense: they are named by their content. When the answer of the call that moves the branch is lost (a broken
   * connection, a time limit, a 5xx, an answer that is no JSON) the head is read: a head that is this commit (the same id or, where
   * the provider alone knows the id, `expected` as only parent and the same message, trailers included) is success; at `expected` the
   * call is sent a second time where the provider compares and swaps (GitHub), so that no more than one of the two can move it, else it
   * is the failure itself, any other head `RemoteMoved`. A read that is stale, or fails as well, leaves the failure: the engine's
   * next run finds the commit by its trailers and tree.
   *
   * Compare-and-swap is as strong as the provider has it. Where a branch may move between the check and the commit (GitLab), each
   * path is guarded instead, and the commit may have got another parent than `expected`: that resolves, and the engine finds it
   * out. Not to be repeated before the branch has been read again.
   * @throws CoregitError
   *   `RemoteMoved` the branch is not at `expected`, or a path is not what the plan says: nothing was committed;
   *   `RemoteBranchProtected` protection of the branch; `RemoteRefused` a ruleset, push rule or hook;
   *   `WorkflowScopeMissing` files below `.github/workflows` and a credential that may not write them;
   *   `SecretDetected` push protection found a secret in a file; `RemoteTooLarge` a file, a request or the commit is too large;
   *   `RemoteArchived` the repository is read-only; `AccessDenied` the credential lacks a permission or scope, also where the
   *   provider says 404 of a repository that it lets read; `RemoteNotFound` it is not there, or hidden from the credential too;
   *   `RemoteTreeDiffers` a tree that the provider made is not the planned one, found before the branch moved;
   *   `TransportUnsuited` the server lacks what the commit needs of its API: nothing was committed;
   *   `AuthenticationFailed`, `RateLimited` (with its time), `RedirectRefused`, `RemoteUnreachable`, `RemoteTooSlow`, `RemoteProtocol`,
   *   `CertificateInvalid`, `AddressRefused`, as `Remote.readHead`; what `blobs` throws; and the reason of `signal`.
   */
  commit(plan: CommitPlan, signal: AbortSignal): Promise<MadeCommit>;
}

/** What an adapter's API for commits is opened with. */
export type CommitApiOptions = {
  /** `owner/repo` or `group/sub/project`. */
  readonly project: string;
  readonly token: string;
  /** One conversation; the caller disposes of it. `signal` ends all that it asks. `workMs`: what a request may take the provider more. */
  readonly openSession: (signal: AbortSignal, workMs?: number) => ApiSession;
};
