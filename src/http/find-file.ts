// From a revision and a path to what stands there.
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import { displayPath } from "../domain/path-rules.ts";
import type { FileEntry, GitPath, TreeEntry } from "../domain/tree.ts";
import { lookUp } from "../domain/tree-lookup.ts";
import type { Commit, RepositoryReader } from "../repositories/store.ts";

/**
 * The commit that `ref` means; without one, the head of the default branch, or null when it has no commits.
 * @throws CoregitError `RefNotFound`.
 */
export async function findCommit(reader: RepositoryReader, ref: string | undefined): Promise<Commit | null> {
  if (ref !== undefined) return await reader.readCommit(await reader.resolveCommit(ref));
  const head = await reader.readRef(`refs/heads/${reader.repository.defaultBranch}`);
  return head === null ? null : await reader.readCommit(head);
}

/** What stands at `path` in a commit. "" is the root. @throws CoregitError `PathNotFound`. */
export async function findEntry(reader: RepositoryReader, commit: Commit | null, path: GitPath): Promise<TreeEntry> {
  if (commit !== null && path === "") return { name: "", mode: "40000", oid: commit.tree };
  const entry = commit === null ? null : await lookUp(reader.readTree, commit.tree, path);
  if (entry !== null) return entry;
  const where = commit === null ? "the repository, which has no commits" : `commit ${commit.oid}`;
  throw new CoregitError("PathNotFound", `There is nothing at ${JSON.stringify(displayPath(path))} in ${where}.`);
}

export type FoundFile = { readonly commitOid: Oid | null; readonly path: GitPath; readonly entry: FileEntry };

/** The file or symbolic link at a path. @throws CoregitError `RefNotFound`, `PathNotFound`, also for a folder or a submodule link. */
export async function findFile(reader: RepositoryReader, ref: string | undefined, path: GitPath): Promise<FoundFile> {
  const commit = await findCommit(reader, ref);
  const { mode, oid } = await findEntry(reader, commit, path);
  if (mode !== "40000" && mode !== "160000") return { commitOid: commit?.oid ?? null, path, entry: { mode, oid } };
  const name = path === "" ? "The root" : JSON.stringify(displayPath(path));
  const reason =
    mode === "40000" ? "is a folder; the tree route lists it" : `is a link to commit ${oid} of another repository, a submodule`;
  throw new CoregitError("PathNotFound", `${name} ${reason}.`);
}
