// The first step of an export: which branches, where both heads are, and the sync point. One request to the remote; nothing
// is fetched and nothing written. Without a local branch the remote is not asked at all.
import { readSyncPoint, type SyncPoint } from "../db/sync-points.ts";
import type { Commit } from "../domain/commit.ts";
import { CoregitError } from "../domain/errors.ts";
import { branchRef } from "../domain/ref-name.ts";
import type { Remote } from "../remotes/remote.ts";
import { type Concluded, isConcluded, requireRepository, type Situation } from "./gather.ts";
import { inSpan, type Run } from "./run.ts";

export type ExportSituation = Pick<Situation, "repository" | "reader" | "localBranch" | "remoteBranch"> & {
  /** Head of the local branch, which is exported. */
  readonly source: Commit;
  readonly local: Commit["oid"];
  /** Head of the remote branch; null: the remote has no such branch, so the first commit makes it. */
  readonly remote: Commit["oid"] | null;
  /** The remote has no refs at all. */
  readonly isRemoteEmpty: boolean;
  /** Null also where the remote's branch is gone: what was exported once says nothing of a branch that is made anew. */
  readonly point: SyncPoint | null;
};

/** @throws CoregitError `LocalBranchMissing`, `RefNameRefused`, `RepositoryNotFound`, and those of `Remote.readHead`. */
export async function gatherExport(run: Run, remote: Remote): Promise<ExportSituation | Concluded> {
  const { claim, deps, progress, request } = run;
  const repository = await requireRepository(run);
  const reader = deps.store.reader(repository);
  const localBranch = request.branch ?? claim.spec.branch ?? repository.defaultBranch;
  const remoteBranch = request.branch ?? claim.spec.remoteBranch ?? localBranch;
  // Refused before it travels anywhere.
  branchRef(remoteBranch);
  progress.branch = localBranch;
  progress.heads = { remote: null, local: null };
  const local = await reader.readRef(branchRef(localBranch));
  if (local === null) throw localMissing(`${repository.namespace}/${repository.slug}`, localBranch);
  const head = await inSpan(run, "check head", () => remote.readHead(remoteBranch, run.signal));
  progress.remoteSha = head.oid;
  const heads = { remote: head.oid, local };
  progress.heads = heads;
  if (isConcluded(run, heads)) return { concluded: heads };
  const kept = await readSyncPoint(deps.database, claim.lease.syncId, localBranch);
  const point = head.oid !== null && kept?.remoteBranch === remoteBranch ? kept : null;
  const source = await reader.readCommit(local);
  return { repository, reader, localBranch, remoteBranch, source, local, remote: head.oid, isRemoteEmpty: head.isEmpty, point };
}

function localMissing(name: string, branch: string): CoregitError {
  return new CoregitError(
    "LocalBranchMissing",
    `The repository ${name} has no branch ${branch} yet; push or commit to it, or name another with \`branch\`.`,
    { details: { branch } },
  );
}
