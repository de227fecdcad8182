// The first step of an import: which branches, where both heads are, and the sync point. One request to the remote; nothing is
// fetched and nothing written.
//
// The branch of a sync that declares none is the repository's default branch. A repository that this sync made has none
// until its first import: then it is the remote's HEAD branch. The first branch that is imported into such a repository
// becomes its default branch, declared or not, so that a clone of it has something to check out.
import { readSyncPoint, type SyncPoint } from "../db/sync-points.ts";
import type { SeenHeads } from "../db/sync-results.ts";
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import { branchRef } from "../domain/ref-name.ts";
import type { SyncSpec } from "../domain/sync-spec.ts";
import type { Remote, RemoteHead } from "../remotes/remote.ts";
import type { Repository, RepositoryReader } from "../repositories/store.ts";
import { inSpan, type Run } from "./run.ts";

export type Situation = {
  readonly repository: Repository;
  readonly reader: RepositoryReader;
  readonly localBranch: string;
  readonly remoteBranch: string;
  /** Head of the local branch; null: it does not exist. */
  readonly local: Oid | null;
  /** Head of the remote branch. */
  readonly remote: Oid;
  readonly point: SyncPoint | null;
  /** The local branch becomes the repository's default branch. */
  readonly namesDefaultBranch: boolean;
};

/** The heads are those that the last run came to its conclusion from, and nothing else was looked at. */
export type Concluded = { readonly concluded: SeenHeads };

/**
 * @throws CoregitError `BranchMissing`, `EmptyUpstream`, `RefNameRefused`, `RepositoryNotFound`, and those of `Remote.readHead`.
 */
export async function gather(run: Run, remote: Remote): Promise<Situation | Concluded> {
  const { claim, deps, progress } = run;
  const repository = await requireRepository(run);
  const reader = deps.store.reader(repository);
  const isUnborn = await hasNoBranchYet(run, repository, reader);
  const wanted = resolveBranches(claim.spec, run.request.branch, isUnborn ? null : repository.defaultBranch);
  progress.branch = wanted.local;
  const head = await inSpan(run, "check head", () => remote.readHead(wanted.remote, run.signal));
  const remoteBranch = requireBranch(wanted.remote ?? head.branch, head);
  const localBranch = wanted.local ?? remoteBranch;
  progress.branch = localBranch;
  const local = await reader.readRef(branchRef(localBranch));
  const heads = { remote: head.oid, local };
  const isSeen = head.oid !== null && isConcluded(run, heads);
  const point = isSeen ? null : await readSyncPoint(deps.database, claim.lease.syncId, localBranch);
  const oid = requireHead(head, remoteBranch, point);
  progress.remoteSha = oid;
  progress.heads = heads;
  if (isSeen) return { concluded: heads };
  return {
    repository,
    reader,
    localBranch,
    remoteBranch,
    local,
    remote: oid,
    point: point?.remoteBranch === remoteBranch ? point : null,
    namesDefaultBranch: isUnborn && !run.request.isBeside,
  };
}

/**
 * True when the last run came to a conclusion from these very heads under this declaration. A failure that somebody asks
 * to be tried again is tried again.
 */
export function isConcluded({ claim, request }: Run, heads: SeenHeads): boolean {
  const { seen } = claim;
  if (request.isBeside) return false;
  if (request.triggerIds.length > 0 && claim.lastErrorCode !== null) return false;
  return seen.generation === claim.generation && seen.remote === heads.remote && seen.local === heads.local;
}

export function headsOf({ remote, local }: SeenHeads): SeenHeads {
  return { remote, local };
}

/** @throws CoregitError `RepositoryNotFound`. */
export async function requireRepository({ claim, deps }: Run): Promise<Repository> {
  const repository = await deps.store.get(claim.repositoryId);
  if (repository === null) throw new CoregitError("RepositoryNotFound", "The sync's repository was removed.");
  return repository;
}

/**
 * True for a repository that its sync made until something has been imported into it. A sync whose last run found nothing wrong with
 * a local head has imported it.
 */
async function hasNoBranchYet({ claim }: Run, repository: Repository, reader: RepositoryReader): Promise<boolean> {
  const { seen } = claim;
  const hasImported = seen.generation === claim.generation && seen.local !== null && claim.lastErrorCode === null;
  if (!claim.madeRepository || hasImported) return false;
  return (await reader.readRef(branchRef(repository.defaultBranch))) === null;
}

type Branches = { readonly local: string | null; readonly remote: string | null };

/** Branches by name; null: the one that the remote's HEAD names. */
function resolveBranches(spec: SyncSpec, asked: string | null, defaultBranch: string | null): Branches {
  const local = asked ?? spec.branch ?? defaultBranch ?? spec.remoteBranch;
  const remote = asked ?? spec.remoteBranch ?? local;
  // Refused before they travel anywhere.
  for (const branch of [local, remote]) if (branch !== null) branchRef(branch);
  return { local, remote };
}

function requireBranch(branch: string | null, head: RemoteHead): string {
  if (branch !== null) return branch;
  if (head.isEmpty) throw new CoregitError("BranchMissing", "The remote is empty: it has no branch yet.");
  throw new CoregitError("BranchMissing", "The remote's HEAD names no branch that is there; set one with `branch`.");
}

function requireHead(head: RemoteHead, branch: string, point: SyncPoint | null): Oid {
  if (head.oid !== null) return head.oid;
  if (head.isEmpty && point !== null) {
    throw new CoregitError("EmptyUpstream", "The remote has no branches any more; what was imported stays.");
  }
  const reason = head.isEmpty ? "The remote is empty: it has no branch yet." : `The remote has no branch ${branch}.`;
  throw new CoregitError("BranchMissing", reason, { details: { branch } });
}
