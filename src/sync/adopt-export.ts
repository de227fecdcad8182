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
import type { Source } from "./fetch-source.ts";
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

/** Null: the remote's head is no unrecorded commit of this sync. */
export async function findUnrecorded(
  run: Run,
  situation: ExportSituation,
  target: Source,
  base: SyncPoint | null,
): Promise<AdoptedExport | null> {
  if (base?.remoteCommit === target.commit) return null;
  const commit = decodeCommit(target.commit, target.commitObject);
  const trailers = readTrailers(commit.message);
  if (trailers?.sync !== run.claim.lease.syncId) return null;
  const origin = await readOrigin(situation, trailers.originCommit);
  if (origin === null) return null;
  const counts = await countsOf(run, { target, commit, origin, base });
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

type Unrecorded = {
  readonly target: Source;
  readonly commit: Commit;
  readonly origin: Commit;
  readonly base: SyncPoint | null;
};

/** What a run over the commit's parent plans, when that is this very tree; null: another, or the parent's is not here. */
async function countsOf(run: Run, { target, commit, origin, base }: Unrecorded): Promise<Counts | null> {
  const [parent] = commit.parents;
  if (parent !== undefined && parent !== base?.remoteCommit) return null;
  const before = parent === undefined ? null : base;
  const trees = { source: origin.tree, target: before?.remoteTree ?? null, base: before };
  const result = await planExport(run, target.readTree, trees);
  return result.kind === "changes" && result.tree === commit.tree ? result : null;
}

async function readOrigin({ reader }: ExportSituation, oid: Oid): Promise<Commit | null> {
  try {
    return await reader.readCommit(oid);
  } catch (error) {
    if (error instanceof CoregitError && error.code === "ObjectMissing") return null;
    throw error;
  }
}
