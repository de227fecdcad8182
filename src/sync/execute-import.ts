// The third step of an import: one commit with the planned tree on top of the local head, made visible together with the
// run's result. Carries the plan out and judges nothing.

import type { Transaction } from "../db/database.ts";
import { setDefaultBranch } from "../db/declared-repositories.ts";
import type { SyncPoint } from "../db/sync-points.ts";
import type { NewObject } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import type { PlannedChanges } from "../domain/plan.ts";
import { branchRef } from "../domain/ref-name.ts";
import type { Source } from "./fetch-source.ts";
import type { Situation } from "./gather.ts";
import type { Target } from "./plan-import.ts";
import { endOf, writeSuccess } from "./record.ts";
import { inSpan, type Run } from "./run.ts";
import { importedMessage } from "./run-message.ts";
import { syncCommit } from "./sync-commit.ts";

export type ImportStep = {
  readonly situation: Situation;
  readonly source: Source;
  readonly target: Target;
  readonly planned: PlannedChanges;
};

/**
 * Publishes the plan and records the run as its success, all or nothing. Without changes no commit is made, but the sync
 * point moves and the base's objects are kept.
 * @throws CoregitError `RefMoved` when the branch is no longer where the plan was made, `StaleLease`.
 */
export async function executeImport(run: Run, step: ImportStep): Promise<void> {
  const { situation, source, target, planned } = step;
  const { store } = run.deps;
  const commit = planned.changes.size === 0 ? null : buildCommit(run, step);
  const packs = [...(await source.seal())];
  // The source's own tree comes with what was sealed; only a tree that is neither side's has to be written.
  const newTrees = planned.tree === source.tree ? [] : planned.newTrees;
  if (commit !== null) packs.push(store.buildPack([...newTrees, commit], "import"));
  const name = branchRef(situation.localBranch);
  const point: SyncPoint = {
    remoteBranch: situation.remoteBranch,
    remoteCommit: source.commit,
    remoteTree: source.tree,
    remoteObject: source.commitObject,
    localCommit: commit?.oid ?? target.commit,
    localTree: commit === null ? target.tree : planned.tree,
  };
  run.signal.throwIfAborted();
  const publication = {
    repositoryId: situation.repository.id,
    packs,
    refs: commit === null ? [] : [{ name, expected: target.commit, next: commit.oid }],
    actor: `sync:${run.claim.lease.syncId}`,
    reason: `import ${source.commit} of ${origin(run)}`,
  };
  const synced = {
    localBranch: situation.localBranch,
    sourceCommit: source.commit,
    point,
    end: endOf(run, describe(planned, commit?.oid ?? null)),
  };
  const also = async (tx: Transaction): Promise<void> => {
    await writeSuccess(tx, run, synced);
    if (situation.namesDefaultBranch) await setDefaultBranch(tx, situation.repository.id, situation.localBranch);
  };
  await inSpan(run, "publish", () => store.publish(publication, also));
}

function describe(planned: PlannedChanges, commitSha: Oid | null) {
  const { added, modified, deleted } = planned;
  const status = commitSha === null ? ("skipped" as const) : ("success" as const);
  return { status, message: importedMessage(planned), commitSha, added, modified, deleted };
}

function buildCommit(run: Run, { situation, source, target, planned }: ImportStep): NewObject {
  const from = { origin: origin(run), branch: situation.remoteBranch, commit: source.commit };
  return syncCommit(run, { from, parent: target.commit, planned });
}

function origin(run: Run): string {
  return run.progress.remote?.displayUrl ?? run.claim.spec.remote;
}
