// The one commit that a run puts on top of its target, on whichever side: the planned tree, the declared author and message,
// and the trailers by which a later run knows it again.
import { type CommitContent, signatureAt } from "../domain/commit.ts";
import { composeMessage } from "../domain/message-template.ts";
import { encodeCommit, type NewObject, newObject } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import type { PlannedChanges } from "../domain/plan.ts";
import type { Run } from "./run.ts";

/** Author of sync commits when the declaration names none. */
const DEFAULT_AUTHOR = { name: "Coregit Sync", email: "sync@coregit.dev" };

export type SyncCommitParts = {
  /** Where the content comes from; `origin` is displayable. */
  readonly from: { readonly origin: string; readonly branch: string; readonly commit: Oid };
  /** Head of the target; null: it has none. */
  readonly parent: Oid | null;
  readonly planned: PlannedChanges;
};

/** As an object. Throws as `syncCommitContent`. */
export function syncCommit(run: Run, parts: SyncCommitParts): NewObject {
  return newObject("commit", encodeCommit(syncCommitContent(run, parts)));
}

/** @throws CoregitError `InvalidSpec` for a template that cannot be used. */
export function syncCommitContent(run: Run, { from, parent, planned }: SyncCommitParts): CommitContent {
  const { spec, lease } = run.claim;
  const signature = signatureAt(spec.commitAuthor ?? DEFAULT_AUTHOR, run.deps.clock.now());
  const { added, modified, deleted, tree } = planned;
  const message = composeMessage(
    spec.messageTemplate,
    { remote: from.origin, branch: from.branch, sha: from.commit, added, modified, deleted },
    { sync: lease.syncId, origin: from.origin, originCommit: from.commit },
  );
  const parents = parent === null ? [] : [parent];
  return { tree, parents, author: signature, committer: signature, message };
}
