// The third step of an export: one commit with the planned tree on top of the remote's head, by compare-and-swap, and then the
// record. Carries the plan out and judges nothing. Between the remote's acceptance and our record a crash leaves a commit that
// the next run adopts.
import type { SyncPoint } from "../db/sync-points.ts";
import { newObjects } from "../domain/new-objects.ts";
import { decodeTree, type NewObject, newObject } from "../domain/object-codec.ts";
import { EMPTY_TREE, type Oid } from "../domain/oid.ts";
import type { PlannedChanges } from "../domain/plan.ts";
import type { TreeReader } from "../domain/tree.ts";
import type { Remote } from "../remotes/remote.ts";
import type { PreparedPack } from "../repositories/store.ts";
import { chooseTransport, mayBePushed } from "./choose-transport.ts";
import { commitByApi, commitPlan } from "./commit-by-api.ts";
import type { ExportStep } from "./export-step.ts";
import type { Source } from "./fetch-source.ts";
import { endOf, writeSuccess } from "./record.ts";
import { requireIdentity } from "./remote-identity.ts";
import { inSpan, type Run } from "./run.ts";
import { exportedMessage } from "./run-message.ts";
import { syncCommit } from "./sync-commit.ts";

/**
 * Makes the plan's commit at the remote and records the run as its success.
 * @throws CoregitError `RemoteMoved` when the branch is no longer where the plan was made; those of `chooseTransport`, `Remote.push`,
 *   `commitByApi` and `requireIdentity`; `StaleLease`.
 */
export async function exportChanges(run: Run, remote: Remote, step: ExportStep): Promise<void> {
  const { situation, target, planned } = step;
  const { repository, localBranch, source } = situation;
  const from = { origin: `${repository.namespace}/${repository.slug}`, branch: localBranch, commit: source.oid };
  const parts = { from, parent: target?.commit ?? null, planned };
  const plan = commitPlan(run, step, parts);
  const { transport } = run.claim.spec;
  const push = async () => {
    await requireIdentity(run, remote);
    await pushChanges(run, remote, step, syncCommit(run, parts));
  };
  const api = await chooseTransport(transport, remote, plan, run.signal);
  if (api === null) return await push();
  try {
    await requireIdentity(run, remote, api.lookup);
    await commitByApi(run, remote, { api, plan, step }, (made) => {
      const { commit: commitSha } = made.reached;
      return recordExport(run, made.step, { reached: made.reached, commitSha, counts: made.step.planned });
    });
  } catch (error) {
    if (!mayBePushed(transport, error)) throw error;
    await push();
  }
}

async function pushChanges(run: Run, remote: Remote, step: ExportStep, commit: NewObject): Promise<void> {
  const { situation, target, planned } = step;
  const { repository, remoteBranch } = situation;
  const objects = await outgoingObjects(step, commit);
  const pack = run.deps.store.outgoingPack(repository, objects, run.signal);
  run.signal.throwIfAborted();
  const move = { branch: remoteBranch, expected: target?.commit ?? null, next: commit.oid };
  await inSpan(run, "push", () => remote.push(move, pack, run.signal));
  run.progress.remoteSha = commit.oid;
  const reached = { commit: commit.oid, tree: planned.tree, commitObject: commit.content };
  await recordExport(run, step, { reached, commitSha: commit.oid, counts: planned });
}

/** The remote's head has what there is to export: records that, and the commit that an earlier run left unrecorded. */
export async function exportNothing(run: Run, step: ExportStep & { readonly target: Source }): Promise<void> {
  const { target, adopted, planned } = step;
  const commitSha = adopted === null ? null : target.commit;
  await recordExport(run, step, { reached: target, commitSha, counts: adopted?.counts ?? planned });
}

type Reached = {
  /** The remote's head after the run. */
  readonly reached: Pick<Source, "commit" | "tree" | "commitObject">;
  readonly commitSha: Oid | null;
  readonly counts: Pick<PlannedChanges, "added" | "modified" | "deleted">;
};

async function recordExport(run: Run, step: ExportStep, { reached, commitSha, counts }: Reached): Promise<void> {
  const { situation } = step;
  const { repository, localBranch, remoteBranch, source } = situation;
  const point: SyncPoint = {
    remoteBranch,
    remoteCommit: reached.commit,
    remoteTree: reached.tree,
    remoteObject: reached.commitObject,
    localCommit: source.oid,
    localTree: source.tree,
  };
  const { added, modified, deleted } = counts;
  const status = commitSha === null ? "skipped" : "success";
  const end = endOf(run, { status, message: exportedMessage(counts), commitSha, added, modified, deleted });
  const packs = await keptPacks(run, step, reached.tree);
  const publication = { repositoryId: repository.id, packs, refs: [], actor: `sync:${run.claim.lease.syncId}`, reason: "export" };
  const success = { localBranch, sourceCommit: source.oid, point, end };
  await inSpan(run, "publish", () => run.deps.store.publish(publication, (tx) => writeSuccess(tx, run, success)));
}

/** What the remote's tree has that our branch has not: the base of the next plan, and of the fetch that it may need. */
async function keptPacks(run: Run, { situation, target, planned }: ExportStep, tree: Oid): Promise<readonly PreparedPack[]> {
  if (tree === situation.source.tree) return [];
  const packs = [...((await target?.seal()) ?? [])];
  if (planned.newTrees.length > 0) packs.push(run.deps.store.buildPack(planned.newTrees, "import"));
  return packs;
}

/** What the remote lacks. Blobs are ours: the plan takes from the target only what the target has. */
async function outgoingObjects({ target, readTree, planned }: ExportStep, commit: NewObject) {
  const made = new Map(planned.newTrees.map((tree) => [tree.oid, tree]));
  if (planned.tree === EMPTY_TREE) made.set(EMPTY_TREE, newObject("tree", new Uint8Array()));
  const read: TreeReader = (oid) => {
    const tree = made.get(oid);
    return tree === undefined ? readTree(oid) : decodeTree(tree.content);
  };
  const { trees, blobs } = await newObjects(read, target?.tree ?? EMPTY_TREE, planned.tree);
  const own = trees.flatMap((oid) => made.get(oid) ?? []);
  const stored = [...trees.filter((oid) => !made.has(oid)), ...blobs];
  return { stored, made: [commit, ...own] };
}
