// Commits made here, beside what syncs import: as a push or the API would make them.
import { type CommitContent, signatureAt } from "../../src/domain/commit.ts";
import { encodeCommit, type NewObject, newObject } from "../../src/domain/object-codec.ts";
import { EMPTY_TREE, type Oid, parseOid } from "../../src/domain/oid.ts";
import type { FileEntry } from "../../src/domain/tree.ts";
import { applyChanges } from "../../src/domain/tree-edit.ts";
import type { Repository, RepositoryStore } from "../../src/repositories/store.ts";
import type { SourceFile } from "./source-repository.ts";

/** Puts `files` (null removes one; paths are bytes as latin1) on top of the branch in one commit. */
export async function commitHere(
  store: RepositoryStore,
  repository: Repository,
  files: Readonly<Record<string, SourceFile>>,
  branch = "main",
): Promise<Oid> {
  const reader = store.reader(repository);
  const ref = `refs/heads/${branch}`;
  const head = await reader.readRef(ref);
  const base = head === null ? EMPTY_TREE : (await reader.readCommit(head)).tree;
  const entries = Object.entries(files).map(([path, file]) => ({ path, ...entryOf(file) }));
  const changes = new Map(entries.map(({ path, after }) => [path, { before: null, after }]));
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
  const made = new Map(entries.flatMap(({ blob }) => (blob === null ? [] : [[blob.oid, blob] as const])));
  await store.publish({
    repositoryId: repository.id,
    packs: [store.buildPack([...made.values(), ...newTrees, commit], "commit")],
    refs: [{ name: ref, expected: head, next: commit.oid }],
    actor: "test",
    reason: "edit",
  });
  return commit.oid;
}

function entryOf(file: SourceFile): { readonly after: FileEntry | null; readonly blob: NewObject | null } {
  if (file === null) return { after: null, blob: null };
  const { mode, content } =
    typeof file === "string" || file instanceof Uint8Array ? { mode: "100644" as const, content: file } : file;
  if (mode === "160000") return { after: { mode, oid: parseOid(String(content)) }, blob: null };
  const blob = newObject("blob", Buffer.from(content));
  return { after: { mode, oid: blob.oid }, blob };
}
