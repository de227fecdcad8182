// The order in which `git log` shows commits: the newest committer date first among those whose child was shown.
import type { Oid } from "../domain/oid.ts";
import type { Commit } from "./store.ts";

/** Commits reachable from `from`, `skip` of them passed over, at most `limit` returned. */
export async function walkHistory(
  readCommit: (oid: Oid) => Promise<Commit>,
  from: Oid,
  { limit, skip }: { readonly limit: number; readonly skip: number },
): Promise<Commit[]> {
  const seen = new Set<Oid>([from]);
  const queue = [await readCommit(from)];
  const shown: Commit[] = [];
  for (let passed = 0; shown.length < limit; passed += 1) {
    const next = queue.shift();
    if (next === undefined) break;
    if (passed >= skip) shown.push(next);
    const parents = next.parents.filter((parent) => !seen.has(parent));
    for (const parent of parents) seen.add(parent);
    for (const parent of await Promise.all(parents.map(readCommit))) insertByDate(queue, parent);
  }
  return shown;
}

/** Newest first; of equal dates, the one that came first stays first. */
function insertByDate(queue: Commit[], commit: Commit): void {
  const position = queue.findIndex(({ committer }) => committer.timestamp < commit.committer.timestamp);
  queue.splice(position < 0 ? queue.length : position, 0, commit);
}
