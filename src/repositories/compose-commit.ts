// A commit made on top of a head: its parent, its tree, and all objects that are new with it. Reads, and publishes nothing.
import { type Commit, type CommitContent, signatureOf } from "../domain/commit.ts";
import { planCommit } from "../domain/commit-plan.ts";
import { CoregitError } from "../domain/errors.ts";
import { encodeCommit, type NewObject, newObject } from "../domain/object-codec.ts";
import { EMPTY_TREE, type Oid } from "../domain/oid.ts";
import { branchRef } from "../domain/ref-name.ts";
import type { CommitRequest, CommitResult } from "./commit-request.ts";
import type { CommitSource } from "./unpublished-objects.ts";

export type Composed = { readonly objects: readonly NewObject[]; readonly commit: Commit; readonly result: CommitResult };

export type CommitParts = {
  readonly request: CommitRequest;
  readonly source: CommitSource;
  /** Blobs of the changes that go with the commit. */
  readonly loose: readonly NewObject[];
  readonly nowMs: number;
};

/**
 * `head` null: the branch is not there.
 * @throws CoregitError `RefMoved` with `details.head_sha` when the branch is not what the caller takes it for; `RefNotFound` when the
 *   base branch is not there; `NothingToCommit`; those of `planCommit`.
 */
export async function composeCommit({ request, source, loose, nowMs }: CommitParts, head: Oid | null): Promise<Composed> {
  const parent = await baseOf(request, source, head);
  const { root, objects } = await plan(request, source, parent);
  const content = describe(request, { tree: root, parent }, nowMs);
  const commit = newObject("commit", encodeCommit(content));
  return {
    objects: [...loose, ...objects, commit],
    commit: { oid: commit.oid, ...content },
    result: { sha: commit.oid, tree: root, branch: request.branch, parent, previous: head },
  };
}

/** Whether it could be made. @throws as `composeCommit`. */
export async function checkCommit(request: CommitRequest, source: CommitSource, head: Oid | null): Promise<void> {
  await plan(request, source, await baseOf(request, source, head));
}

/** The commit to build on. */
async function baseOf(request: CommitRequest, source: CommitSource, head: Oid | null): Promise<Oid | null> {
  const { branch, parentSha, baseBranch } = request;
  if (parentSha !== null && parentSha !== head) {
    const state = head === null ? "does not exist" : `is at ${head}`;
    const message = `The branch ${branch} ${state}, not at the parent_sha ${parentSha}.`;
    throw new CoregitError("RefMoved", message, { details: { head_sha: head } });
  }
  if (head !== null || baseBranch === null) return head;
  const base = await source.readRef(branchRef(baseBranch));
  if (base !== null) return base;
  const details = { field: "base_branch" };
  throw new CoregitError("RefNotFound", `There is no branch ${JSON.stringify(baseBranch)} to begin ${branch} from.`, { details });
}

async function plan(request: CommitRequest, source: CommitSource, parent: Oid | null) {
  const base = parent === null ? EMPTY_TREE : (await source.readCommit(parent)).tree;
  const { root, newTrees, editedBlobs } = await planCommit(source, base, request.changes);
  if (root === base && !request.allowEmpty) {
    throw new CoregitError("NothingToCommit", `The commit would change nothing on ${request.branch}.`);
  }
  return { root, objects: [...editedBlobs, ...newTrees] };
}

type Place = { readonly tree: Oid; readonly parent: Oid | null };

function describe(request: CommitRequest, { tree, parent }: Place, nowMs: number): CommitContent {
  return {
    tree,
    parents: parent === null ? [] : [parent],
    author: signatureOf(request.author, nowMs),
    committer: signatureOf(request.committer, nowMs),
    message: request.message,
  };
}

const MAX_SUBJECT_LENGTH = 120;

/** Why the branch moves, as git writes it into a reflog. */
export function reasonOf({ message }: CommitRequest): string {
  const subject = message.split("\n", 1)[0]?.replace(/\p{Cc}/gu, " ") ?? "";
  return `commit: ${subject.slice(0, MAX_SUBJECT_LENGTH)}`;
}
