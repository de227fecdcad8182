// The order in which `git log` shows commits: the newest committer date first among those whose child was shown.
import type { Oid } from "../domain/oid.ts";
import type { GitPath, TreeReader } from "../domain/tree.ts";
import { lookUp } from "../domain/tree-lookup.ts";
import type { Commit, PathHistory } from "./store.ts";

type CommitReader = (oid: Oid) => Promise<Commit>;

/** Commits reachable from `from`, `skip` of them passed over, at most `limit` returned. */
export async function walkHistory(
  readCommit: CommitReader,
  from: Oid,
  { limit, skip }: { readonly limit: number; readonly skip: number },
): Promise<Commit[]> {
  const shown: Commit[] = [];
  if (limit === 0) return shown;
  let passed = 0;
  for await (const commit of commitsFrom(readCommit, from)) {
    passed += 1;
    if (passed > skip) shown.push(commit);
    if (shown.length === limit) break;
  }
  return shown;
}

/** Commits that one look through a history reads at most, about a second's work. */
const MAX_PASSED = 5_000;

/**
 * Commits in which what is at `path` differs from what is there in each of their parents: a merge is not one when it took
 * the path from one side. `skip` counts all commits, so that the next look goes on where this one ended.
 */
export async function walkPathHistory(
  { readCommit, readTree }: { readonly readCommit: CommitReader; readonly readTree: TreeReader },
  from: Oid,
  { path, limit, skip }: { readonly path: GitPath; readonly limit: number; readonly skip: number },
): Promise<PathHistory> {
  const entryOf = async (oid: Oid) => {
    const entry = await lookUp(readTree, (await readCommit(oid)).tree, path);
    return entry === null ? null : `${entry.mode} ${entry.oid}`;
  };
  const commits: Commit[] = [];
  let passed = 0;
  for await (const commit of commitsFrom(readCommit, from)) {
    if (passed >= skip + MAX_PASSED) return { commits, next: passed };
    if (passed >= skip && (await hasChanged(entryOf, commit))) {
      if (commits.length === limit) return { commits, next: passed };
      commits.push(commit);
    }
    passed += 1;
  }
  return { commits, next: null };
}

async function hasChanged(entryOf: (oid: Oid) => Promise<string | null>, { oid, parents }: Commit): Promise<boolean> {
  const entry = await entryOf(oid);
  const before = await Promise.all(parents.map(entryOf));
  return before.length === 0 ? entry !== null : !before.includes(entry);
}

async function* commitsFrom(readCommit: CommitReader, from: Oid): AsyncGenerator<Commit> {
  const seen = new Set<Oid>([from]);
  const queue = [await readCommit(from)];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    yield next;
    const parents = next.parents.filter((parent) => !seen.has(parent));
    for (const parent of parents) seen.add(parent);
    for (const parent of await Promise.all(parents.map(readCommit))) insertByDate(queue, parent);
  }
}

/** Newest first; of equal dates, the one that came first stays first. */
function insertByDate(queue: Commit[], commit: Commit): void {
  const position = queue.findIndex(({ committer }) => committer.timestamp < commit.committer.timestamp);
  queue.splice(position < 0 ? queue.length : position, 0, commit);
}
