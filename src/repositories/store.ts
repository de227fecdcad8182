// The port to the git store: what the engine, HTTP and the command line may ask of stored repositories.

import type { Transaction } from "../db/database.ts";
import type { RefStep } from "../db/publish-pack.ts";
import type { NamedRef, RefPage } from "../db/refs.ts";
import type { AnnotatedTag, Commit, Signature } from "../domain/commit.ts";
import type { NewObject, ObjectType } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import type { GitPath, Tree, TreeReader } from "../domain/tree.ts";
import type { CommitRequest, CommitResult } from "./commit-request.ts";
import type { Comparisons } from "./comparisons.ts";
import type { OutgoingObjects } from "./outgoing-pack.ts";

export type Repository = {
  readonly id: string;
  readonly namespace: string;
  readonly slug: string;
  readonly description: string;
  readonly visibility: "private" | "public";
  readonly defaultBranch: string;
  /** Names and globs of branches that are never deleted and only move forward. */
  readonly protectedBranches: readonly string[];
};

/** What a new repository begins with: objects, among them the commit that becomes the default branch's first. */
export type FirstCommit = { readonly objects: readonly NewObject[]; readonly commit: Oid; readonly actor: string };

/** A pack that is complete, checked and durable (or small enough to travel in the transaction), not yet published. */
export type PreparedPack = {
  readonly id: string;
  /** The pack's SHA-1 trailer. */
  readonly name: string;
  readonly source: "commit" | "import" | "push" | "compact";
  readonly objectCount: number;
  readonly packSize: number;
  readonly idxSize: number;
  readonly packSha256: Uint8Array;
  readonly idxSha256: Uint8Array;
  /** Small packs carry their bytes; for others the blob store has them already. */
  readonly inline: { readonly pack: Uint8Array; readonly idx: Uint8Array } | null;
};

export type RefUpdate = {
  /** Full name, for example `refs/heads/main`. */
  readonly name: string;
  /** What the ref must be now; null: it must not exist. */
  readonly expected: Oid | null;
  /** What it becomes; null deletes it. */
  readonly next: Oid | null;
};

export type Publication = {
  readonly repositoryId: string;
  readonly packs: readonly PreparedPack[];
  readonly refs: readonly RefUpdate[];
  /** Who moved the refs, for the reflog: `sync:<id>`, `token:<id>`, `master`. */
  readonly actor: string;
  /** Why, for the reflog, one line. */
  readonly reason: string;
  /** In which trace, for what the move wakes; absent: none is recorded. */
  readonly traceparent?: string | null;
  /** Of the only ref, which moves: the commits by which it does, each with a line in the reflog; absent: one line of the above. */
  readonly steps?: readonly RefStep[];
};

/** `next`: what to skip in the next look; null: the history has been seen to its end. */
export type PathHistory = { readonly commits: readonly Commit[]; readonly next: number | null };

/** Reads of one repository. Objects never change, so a reader stays right while refs move. */
export interface RepositoryReader {
  readonly repository: Repository;
  /** The ref's oid now, from the database, or null. */
  readRef(name: string): Promise<Oid | null>;
  /** All refs now, by name. */
  readRefs(): Promise<ReadonlyMap<string, Oid>>;
  /** Part of the refs now, in order of their names' bytes. */
  readRefPage(page: RefPage): Promise<readonly NamedRef[]>;
  /** What the object is, or null when there is none. */
  objectType(oid: Oid): Promise<ObjectType | null>;
  /** The commit that an object is or, through tags, leads to; null when it leads to none or is not there. */
  peel(oid: Oid): Promise<Oid | null>;
  /** @throws CoregitError `ObjectMissing` when there is no such tag object. */
  readTag(oid: Oid): Promise<AnnotatedTag>;
  readonly readTree: TreeReader;
  /** @throws CoregitError `ObjectMissing` when there is no such commit. */
  readCommit(oid: Oid): Promise<Commit>;
  /** @throws CoregitError `ObjectMissing`. Whole blob; callers check `blobSize` against their limit first. */
  readBlob(oid: Oid): Promise<Uint8Array>;
  /** Size in bytes, or null when there is no such object or it is no blob. */
  blobSize(oid: Oid): Promise<number | null>;
  /**
   * Sizes of the blobs among the first `count` entries of a tree, by position; null for folders and submodule links.
   * @throws CoregitError `ObjectMissing`.
   */
  blobSizes(tree: Oid, count: number): Promise<readonly (number | null)[]>;
  /**
   * The bytes of a blob from `start` to before `end`, in memory of a fixed size whatever the blob's. Nothing runs before the
   * first byte is asked for; stopping the iteration or the signal ends what runs. @throws CoregitError `ObjectMissing`.
   */
  streamBlob(oid: Oid, range: { readonly start: number; readonly end: number }, signal: AbortSignal): AsyncGenerator<Uint8Array>;
  readonly comparisons: Comparisons;
  /**
   * A branch, tag, full ref name, or full or abbreviated (≥ 4 digits) commit id, in this order, peeled to a commit.
   * @throws CoregitError `RefNotFound`.
   */
  resolveCommit(revision: string): Promise<Oid>;
  /**
   * Commits that changed what is at `path`, newest first. Reads no more than a bounded number of commits, so it may return
   * fewer than `limit`, or none, and still not be at the end.
   */
  logOfPath(from: Oid, window: { readonly path: GitPath; readonly limit: number; readonly skip: number }): Promise<PathHistory>;
  /** Commits reachable from `from`, newest first, `skip` of them passed over, at most `limit` returned. */
  log(from: Oid, window: { readonly limit: number; readonly skip: number }): Promise<Commit[]>;
}

export type ReceiveOptions = {
  /** Commits of the pack whose parents were not asked for: the remote's head of a depth-1 fetch. Empty for a push. */
  readonly shallowTips: readonly Oid[];
  /** Where refs are to point, and where all refs point now: looked at beside the pack. */
  readonly tips?: { readonly next: readonly Oid[]; readonly published: ReadonlySet<Oid> };
  /**
   * Begins to make the pack durable while it is still being looked at, as `seal` would: of a push when there are `tips`,
   * otherwise of an import. For a caller that has little to refuse; a pack that is refused or not sealed leaves nothing.
   */
  readonly sealEarly?: boolean;
};

/** What those of the tips are that are here or published, and whether everything that they lead to is, too. */
export type CheckedTips = { readonly types: ReadonlyMap<Oid, ObjectType>; readonly areConnected: boolean };

/**
 * A private place where bytes from outside become a pack that may be published. Removed when disposed, with
 * whatever is in it; nothing in it is visible before `RepositoryStore.publish`.
 */
export interface Quarantine extends AsyncDisposable {
  /**
   * Reads one pack stream to its end through `index-pack --strict` with our own tree and name checks. Objects that the
   * repository has already count as present (thin packs are completed).
   * @throws CoregitError `PackTooLarge`, `TooManyObjects`, `OutOfMemory`, `PackInvalid`, `ObjectInvalid`, `PathRefused`.
   */
  receivePack(
    source: AsyncIterable<Uint8Array>,
    options: ReceiveOptions,
    signal: AbortSignal,
  ): Promise<{ readonly bytes: number; readonly objects: number; readonly tips: CheckedTips }>;
  /** Reads a tree from the quarantine or the repository. */
  readonly readTree: TreeReader;
  /** Whether the commit `to`, of the quarantine or the repository, has `from` among its ancestors. @throws CoregitError `Timeout`. */
  isAncestor(from: Oid, to: Oid, signal: AbortSignal): Promise<boolean>;
  /** Raw content of a commit in the quarantine or the repository. @throws CoregitError `ObjectMissing`. */
  readCommitObject(oid: Oid): Promise<Uint8Array>;
  /** Adds objects made in process (trees and commits of the plan). They are part of what `seal` returns. */
  addObjects(objects: readonly NewObject[]): void;
  /**
   * Makes what is here durable: the received pack without its commits and tags when `dropCommits` (an import keeps the
   * remote's trees and blobs only), and one pack of the added objects. Large packs are in the blob store when it resolves.
   */
  seal(
    options: { readonly source: "import" | "push"; readonly dropCommits: boolean },
    signal: AbortSignal,
  ): Promise<PreparedPack[]>;
}

export interface RepositoryStore extends AsyncDisposable {
  /** By namespace and slug, or null. */
  find(namespace: string, slug: string): Promise<Repository | null>;
  get(id: string): Promise<Repository | null>;
  /**
   * Makes a repository that the API owns, with its first commit when there is one, all or nothing.
   * @throws CoregitError `RepositoryExists`, `RefNameRefused`.
   */
  create(repository: Omit<Repository, "id">, first: FirstCommit | null): Promise<Repository>;
  reader(repository: Repository): RepositoryReader;
  /**
   * Opens a quarantine over the repository. `shallow`: a remote commit of an earlier import whose tree the repository
   * has; it is placed there so that a thin pack may build on it and `have` lines may name it.
   */
  quarantine(repository: Repository, shallow?: { readonly oid: Oid; readonly content: Uint8Array }): Promise<Quarantine>;
  /** One pack of objects made in process. Small by nature; travels in the transaction. */
  buildPack(objects: readonly NewObject[], source: PreparedPack["source"]): PreparedPack;
  /**
   * One commit of files on a branch. Without a `parentSha` it goes on top of whatever the branch is when it is published,
   * however many write at once. Nothing is written when it throws, except that after `DatabaseUnavailable` it may have been.
   * @throws CoregitError `RefMoved` with `details.head_sha` (null: no such branch) when the branch is not at `parentSha`;
   *   `ChangeRefused`, `CommitTooLarge`, `PathRefused` naming the entry; `NothingToCommit`; `RefNotFound` for the base branch;
   *   `RefNameRefused`, `RepositoryNotFound`.
   */
  commit(name: Pick<Repository, "namespace" | "slug">, request: CommitRequest, signal: AbortSignal): Promise<CommitResult>;
  /**
   * The one transaction that makes objects and refs visible: pack rows, compare-and-swap of each ref, reflog, and whatever
   * `also` writes (a run's result, a sync point). All or nothing. Wakes listeners of the refs that moved.
   * @throws CoregitError `RefMoved` with `details.ref` and `details.actual` when a ref is not what was expected.
   */
  publish(publication: Publication, also?: (tx: Transaction) => Promise<void>): Promise<void>;
  /**
   * A pack, complete in itself, of exactly these objects: stored ones, and ones made in process. Nothing runs before the first
   * byte is asked for; stopping the iteration or the signal ends what runs.
   * @throws CoregitError `ObjectMissing`, `CacheLost`, `Internal`, `Timeout`.
   */
  outgoingPack(repository: Repository, objects: OutgoingObjects, signal: AbortSignal): AsyncGenerator<Uint8Array>;
  /**
   * A directory that native git can open, holding at least everything published before the call, refs included. Not to be
   * written to. It may vanish at any time (the cache is disposable): on failure ask again once.
   */
  view(repository: Repository): Promise<string>;
  /** Removes the repository, its rows and then its blobs. Resolves when it is not there. */
  remove(id: string): Promise<void>;
}

export type { AnnotatedTag, Commit, NamedRef, NewObject, RefPage, RefStep, Signature, Tree };
