// An export that the remote took and nobody recorded: the worker died, or lost its lease, in between. Its commit is known by
// its trailers, and believed only where its tree is what this sync would have made there; then it is the sync point, so
// that nothing is exported twice and what came later is no conflict with ourselves.
import type { SyncPoint } from "../db/sync-points.ts";
import type { Commit } from "../domain/commit.ts";
import { CoregitError } from "../domain/errors.ts";
import { readTrailers } from "../domain/message-template.ts";
import { decodeCommit } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import type { PlannedChanges } from "../domain/plan.ts";
import type { Remote } from "../remotes/remote.ts";
import { fetchSource, type Source, storedSource } from "./fetch-source.ts";
import type { ExportSituation } from "./gather-export.ts";
import { planExport } from "./plan-export.ts";
import type { Run } from "./run.ts";

export type Counts = Pick<PlannedChanges, "added" | "modified" | "deleted">;

export type AdoptedExport = {
  readonly point: SyncPoint;
  /** What it changed; zeros where its parent is not known here. */
  readonly counts: Counts;
};

const NOTHING: Counts = { added: 0, modified: 0, deleted: 0 };

export type ExportedHead = {
  readonly situation: ExportSituation;
  /** The remote's head. */
  readonly target: Source;
  readonly base: SyncPoint | null;
};

/** Null: the remote's head is no unrecorded commit of this sync. */
export async function findUnrecorded(run: Run, remote: Remote, head: ExportedHead): Promise<AdoptedExport | null> {
  const { situation, target, base } = head;
  if (base?.remoteCommit === target.commit) return null;
  const commit = decodeCommit(target.commit, target.commitObject);
  const trailers = readTrailers(commit.message);
  if (trailers?.sync !== run.claim.lease.syncId) return null;
  const origin = await readOrigin(situation, trailers.originCommit);
  if (origin === null) return null;
  const counts = await countsOf(run, remote, { ...head, commit, origin });
  if (counts === null && commit.tree !== origin.tree) return null;
  const point = {
    remoteBranch: situation.remoteBranch,
    remoteCommit: target.commit,
    remoteTree: target.tree,
    remoteObject: target.commitObject,
    localCommit: origin.oid,
    localTree: origin.tree,
  };
  return { point, counts: counts ?? NOTHING };
}

type Unrecorded = ExportedHead & { readonly commit: Commit; readonly origin: Commit };

/** What a run over the commit's parent plans, when that is this very tree; null: another, or the parent cannot be had. */
async function countsOf(run: Run, remote: Remote, head: Unrecorded): Promise<Counts | null> {
  const { target, commit, origin, base } = head;
  const [parent] = commit.parents;
  await using before = await openParent(run, remote, head);
  if (parent !== undefined && before === null) return null;
  const trees = { source: origin.tree, target: before?.tree ?? null, base: parent === undefined ? null : base };
  const result = await planExport(run, (before ?? target).readTree, trees);
  return result.kind === "changes" && result.tree === commit.tree ? result : null;
}

/** The parent, which may be somebody else's where the provider does not compare and swap; null: none, or it is not to be had. */
async function openParent(run: Run, remote: Remote, { situation, commit, base }: Unrecorded): Promise<Source | null> {
  const [parent] = commit.parents;
  if (parent === undefined) return null;
  if (parent === base?.remoteCommit) return storedSource(situation, base);
  const { repository, reader, local } = situation;
  try {
    return await fetchSource(run, remote, { repository, reader, remote: parent, local }, base);
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof CoregitError) return null;
    throw error;
  }
}

async function readOrigin({ reader }: ExportSituation, oid: Oid): Promise<Commit | null> {
  try {
    return await reader.readCommit(oid);
  } catch (error) {
    if (error instanceof CoregitError && error.code === "ObjectMissing") return null;
    throw error;
  }
}
