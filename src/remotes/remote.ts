// The port to a git server elsewhere. One folder an adapter, the same file names in each.
import type { Credential, DirectCredential } from "../domain/credential.ts";
import type { Oid } from "../domain/oid.ts";
import type { Provider } from "../domain/sync-spec.ts";
import type { CommitApi } from "./commit-api.ts";
import type { RepositoryLookup } from "./repository-lookup.ts";

export type { Credential };

/** Where a remote is and how to be let in. Never logged as a whole: it carries the credential. */
export type RemoteTarget = {
  readonly provider: Provider;
  /** Base URL of the connection, or null. */
  readonly baseUrl: string | null;
  /** As declared in the sync: a URL, or a path below `baseUrl`. */
  readonly remote: string;
  readonly credential: DirectCredential | null;
  /** PEM certificates trusted beside the system's. */
  readonly caPem: string | null;
};

/** A target as it is declared: a GitHub App's credential is not yet one that a remote takes. */
export type DeclaredTarget = Omit<RemoteTarget, "credential"> & { readonly credential: Credential | null };

export type RemoteHead = {
  /**
   * The branch that was read, without `refs/heads/`; null when none was asked for and the remote's HEAD names none: it is
   * detached (`oid` is its commit then) or missing.
   */
  readonly branch: string | null;
  /** Its commit; null when the branch is missing or the remote is empty. */
  readonly oid: Oid | null;
  /** The remote has no refs at all. */
  readonly isEmpty: boolean;
};

export type FetchRequest = {
  readonly oid: Oid;
  /** A commit that both sides have: the last one imported. The remote then sends what is new only. */
  readonly have: Oid | null;
};

export type PushRequest = {
  /** Without `refs/heads/`. */
  readonly branch: string;
  /** The commit that the branch must be at; null: it must not exist and is made. */
  readonly expected: Oid | null;
  /** A commit on top of it, in the pack. */
  readonly next: Oid;
};

/** One remote, opened for one run. Holds no connection that outlives its disposal. */
export interface Remote extends AsyncDisposable {
  /** The remote as it may be shown: no credential, no query. */
  readonly displayUrl: string;
  /** Requests made so far by this instance, those of `commitApi` and `lookup` included. */
  readonly calls: number;
  /** The provider's API for commits; null: the remote has none, or the credential is none for it. */
  readonly commitApi: CommitApi | null;
  /** Which repository the remote's name leads to; null: its server has no numbers for them, or the credential is none for its API. */
  readonly lookup: RepositoryLookup | null;
  /**
   * Head of `branch`, or of the branch that the remote's HEAD names. One request once the server's capabilities are known
   * to this process, and a second one when there is no such head, to see whether the remote is empty. Safe to repeat.
   * @throws CoregitError `RemoteNotFound`, `AuthenticationFailed`, `AccessDenied`, `AddressRefused`, `RedirectRefused`,
   *   `RemoteUnreachable`, `CertificateInvalid`, `RemoteProtocol`, `RemoteUnsupported`, `RateLimited`, `RemoteTooSlow`.
   */
  readHead(branch: string | null, signal: AbortSignal): Promise<RemoteHead>;
  /**
   * The pack of one commit at depth 1: the commit, its tree and blobs, less what `have` brings (the pack may then be thin).
   * The commit's parents are not in it: whoever indexes it strictly lists `oid` as shallow first. Bytes as they arrive;
   * stopping the iteration or the signal ends the transfer.
   * @throws the codes of `readHead`, and `RemoteMoved` when the remote no longer offers that commit.
   */
  fetchPack(request: FetchRequest, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * Moves a branch by compare-and-swap, never by force. `pack` holds all objects that `next` brings and stands for itself;
   * it is read once, at the remote's pace. Resolves when the branch is at `next`; an answer that was lost is settled by
   * looking. Not to be repeated with another `next` before the branch has been read again: after a failure that is not one
   * of the first line below, the remote may still come to do it.
   * @throws CoregitError `RemoteMoved`, `RemoteBranchProtected`, `RemoteRefused`, `RemoteTooLarge`, `DirectionUnsupported`; the
   *   codes of `readHead`; and what `pack` throws.
   */
  push(request: PushRequest, pack: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
}

export interface Remotes {
  /**
   * The target with a credential that remotes take: for a GitHub App a token that is good for ten minutes at least, remembered or
   * asked for now; every other credential as it is.
   * @throws CoregitError those of `Accounts.inspectCredential`.
   */
  signIn(target: DeclaredTarget, signal: AbortSignal): Promise<RemoteTarget>;
  /** @throws CoregitError `InvalidSpec` when `target` is not a remote of its provider (a bad URL, credentials in it, …). */
  open(target: RemoteTarget): Remote;
}
