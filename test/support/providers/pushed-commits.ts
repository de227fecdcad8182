// The commits that a movement of a ref brought, with the paths that each changed, for the payloads of push events.
import { gitBytes } from "../git.ts";
import { type BareRepository, type RefUpdate, ZERO_OID } from "./bare-repository.ts";
import { type CommitObject, readCommit } from "./commit-object.ts";

export type PushedCommit = CommitObject & {
  readonly added: readonly string[];
  readonly modified: readonly string[];
  readonly removed: readonly string[];
};

export type PushedCommits = {
  /** The newest, oldest first, at most as many as asked for. */
  readonly commits: readonly PushedCommit[];
  readonly total: number;
};

async function changedPaths(
  repository: BareRepository,
  oid: string,
): Promise<Pick<PushedCommit, "added" | "modified" | "removed">> {
  const args = ["diff-tree", "--root", "-r", "-z", "--no-commit-id", "--no-renames", "--name-status", oid];
  const words = (await gitBytes(["-C", repository.path, ...args])).toString("utf8").split("\0");
  const paths = { added: [] as string[], modified: [] as string[], removed: [] as string[] };
  for (let index = 0; index + 1 < words.length; index += 2) {
    const [status, path = ""] = [words[index], words[index + 1]];
    if (status === "A") paths.added.push(path);
    else if (status === "D") paths.removed.push(path);
    else paths.modified.push(path);
  }
  return paths;
}

export async function pushedCommits(repository: BareRepository, update: RefUpdate, limit: number): Promise<PushedCommits> {
  if (update.after === ZERO_OID || !(await repository.isType(update.after, "commit"))) return { commits: [], total: 0 };
  const isNew = update.before === null || update.before === ZERO_OID;
  const known = isNew ? ["--not", `--exclude=${update.ref}`, "--all"] : ["--not", update.before ?? ""];
  const oids = (await repository.source.git("rev-list", update.after, ...known)).split("\n").filter(Boolean);
  const commits = await Promise.all(
    oids.slice(0, limit).map(async (oid) => {
      const commit = await readCommit(repository, oid);
      return commit === null ? [] : [{ ...commit, ...(await changedPaths(repository, oid)) }];
    }),
  );
  return { commits: commits.flat().reverse(), total: oids.length };
}
