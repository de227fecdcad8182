// Commits made here, beside what syncs import: as a push or the API would make them.
import { type CommitContent, signatureAt } from "../../src/domain/commit.ts";
import { encodeCommit, newObject } from "../../src/domain/object-codec.ts";
import { EMPTY_TREE, type Oid } from "../../src/domain/oid.ts";
import { applyChanges } from "../../src/domain/tree-edit.ts";
import type { Repository, RepositoryStore } from "../../src/repositories/store.ts";

/** Puts `files` (null removes one) on top of the branch in one commit. */
export async function commitHere(
  store: RepositoryStore,
  repository: Repository,
  files: Readonly<Record<string, string | null>>,
  branch = "main",
): Promise<Oid> {
  const reader = store.reader(repository);
  const ref = `refs/heads/${branch}`;
  const head = await reader.readRef(ref);
  const base = head === null ? EMPTY_TREE : (await reader.readCommit(head)).tree;
  const blobs = Object.entries(files).map(([path, text]) => ({
    path,
    blob: text === null ? null : newObject("blob", Buffer.from(text)),
  }));
  const changes = new Map(
    blobs.map(({ path, blob }) => [path, { before: null, after: blob && ({ mode: "100644", oid: blob.oid } as const) }]),
  );
  const { root, newTrees } = await applyChanges(reader.readTree, base, changes);
  const author = signatureAt({ name: "Grace", email: "grace@example.com" }, 1_700_000_000_000);
  const content: CommitContent = {
    tree: root,
    parents: head === null ? [] : [head],
    author,
    committer: author,
    message: "Edit here\n",
  };
  const commit = newObject("commit", encodeCommit(content));
  const made = blobs.flatMap(({ blob }) => blob ?? []);
  await store.publish({
    repositoryId: repository.id,
    packs: [store.buildPack([...made, ...newTrees, commit], "commit")],
    refs: [{ name: ref, expected: head, next: commit.oid }],
    actor: "test",
    reason: "edit",
  });
  return commit.oid;
}
