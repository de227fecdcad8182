// An export's commit made by the provider's API, and the proof that it is the planned one: the tree that the remote has is
// compared with the plan's, whatever the API answered. A commit that got another parent (a provider without compare-and-swap on
// the branch) counts when the plan over that parent gives the same tree.

import { CoregitError } from "../domain/errors.ts";
import { decodeCommit } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import type { CommitApi, CommitPlan, MadeCommit } from "../remotes/commit-api.ts";
import type { Remote } from "../remotes/remote.ts";
import type { RepositoryReader } from "../repositories/store.ts";
import type { ExportStep } from "./export-step.ts";
import { fetchSource, type Source } from "./fetch-source.ts";
import { planExport } from "./plan-export.ts";
import { inSpan, type Run } from "./run.ts";
import { type SyncCommitParts, syncCommitContent } from "./sync-commit.ts";

export function commitPlan(run: Run, step: ExportStep, parts: SyncCommitParts): CommitPlan {
  const { situation, target, planned } = step;
  const { message, author } = syncCommitContent(run, parts);
  return {
    branch: situation.remoteBranch,
    expected: target === null ? null : { commit: target.commit, tree: target.tree },
    isEmptyRemote: situation.isRemoteEmpty,
    changes: planned.changes,
    tree: planned.tree,
    message,
    signature: author,
    isAuthorDeclared: run.claim.spec.commitAuthor !== null,
    blobs: { size: (oid) => blobSize(situation.reader, oid), read: (oid) => situation.reader.readBlob(oid) },
  };
}

async function blobSize(reader: RepositoryReader, oid: Oid): Promise<number> {
  const size = await reader.blobSize(oid);
  if (size === null) throw new CoregitError("ObjectMissing", `The blob ${oid} could not be read.`);
  return size;
}

/** What is at the remote now, and the step as it turned out: over the parent that the commit really got. */
export type ApiCommit = {
  readonly reached: Pick<Source, "commit" | "tree" | "commitObject">;
  readonly step: ExportStep;
};

/** What an API commit is made with. `base`: the sync point that the plan was made from. */
export type ApiExport = { readonly api: CommitApi; readonly plan: CommitPlan; readonly step: ExportStep };

/**
 * Commits, proves, and hands to `record` what is to be recorded; what it names is disposed of afterwards.
 * @throws CoregitError those of `CommitApi.commit`; `RemoteTreeDiffers` when the remote's tree is not the planned one.
 */
export async function commitByApi(
  run: Run,
  remote: Remote,
  { api, plan, step }: ApiExport,
  record: (commit: ApiCommit) => Promise<void>,
): Promise<void> {
  const made = await inSpan(run, "commit by API", () => api.commit(plan, run.signal));
  run.progress.remoteSha = made.oid;
  await using stack = new AsyncDisposableStack();
  const commitObject = made.content ?? stack.use(await fetchCommit(run, remote, step, made.oid)).commitObject;
  const { tree, parents } = decodeCommit(made.oid, commitObject);
  const reached = { commit: made.oid, tree, commitObject };
  const [parent = null] = parents;
  if (parent === (plan.expected?.commit ?? null)) {
    if (tree !== plan.tree) throw differs(made, tree, plan.tree);
    return await record({ reached, step });
  }
  if (parent === null) throw differs(made, tree, plan.tree);
  const target = stack.use(await fetchCommit(run, remote, step, parent));
  const { situation, base } = step;
  const planned = await planExport(run, target.readTree, { source: situation.source.tree, target: target.tree, base });
  if (planned.kind !== "changes" || planned.tree !== tree) throw differs(made, tree, plan.tree);
  await record({ reached, step: { ...step, target, planned } });
}

function fetchCommit(run: Run, remote: Remote, { situation, kept }: ExportStep, oid: Oid): Promise<Source> {
  const { repository, reader, local } = situation;
  return fetchSource(run, remote, { repository, reader, remote: oid, local }, kept);
}

function differs({ oid }: MadeCommit, tree: Oid, planned: Oid): CoregitError {
  const message = `The remote's commit ${oid} has the tree ${tree}, and ${planned} is planned; nothing was recorded.`;
  return new CoregitError("RemoteTreeDiffers", message, { details: { commit: oid } });
}
