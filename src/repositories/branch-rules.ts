// What may not happen to some branches, by push or by the API: the default branch, HEAD of every clone, is not deleted, and a
// protected branch is neither deleted nor moved but forward. Commits and imports only ever go on top of what is there.
import type { Transaction } from "../db/database.ts";
import { type BranchRules, readBranchRules } from "../db/repositories.ts";
import { CoregitError } from "../domain/errors.ts";
import { protectingPattern } from "../domain/protected-branches.ts";
import { branchOf } from "../domain/ref-name.ts";
import type { Publication, RefUpdate } from "./store.ts";

/** Names of the refs of a publication whose next commit has the present one among its ancestors, as far as that is known. */
export type ForwardMoves = ReadonlySet<string>;

/** The rule that a change breaks, as the error to throw; null: none. `isForward` counts for moves alone. */
export function brokenRule(rules: BranchRules, { name, expected, next }: RefUpdate, isForward: boolean): CoregitError | null {
  const branch = branchOf(name);
  if (branch === null) return null;
  if (next === null && branch === rules.defaultBranch) {
    return new CoregitError("DefaultBranch", `${branch} is the default branch and cannot be deleted.`, {
      details: { ref: name },
    });
  }
  const isLoss = expected !== null && next !== expected && !(next !== null && isForward);
  const pattern = isLoss ? protectingPattern(rules.protectedBranches, branch) : null;
  if (pattern === null) return null;
  const what = next === null ? "cannot be deleted" : "only moves forward";
  return new CoregitError("BranchProtected", `${branch} is protected by the pattern ${pattern}: it ${what}.`, {
    details: { ref: name, branch, pattern },
  });
}

/** Whether a publication could break a rule, whatever the rules are when it is made. */
export function needsRules({ refs }: Pick<Publication, "refs">, forward: ForwardMoves): boolean {
  return refs.some(
    ({ name, expected, next }) => branchOf(name) !== null && expected !== next && expected !== null && !forward.has(name),
  );
}

/** Asks in the transaction of the publication what the rules are. @throws CoregitError `DefaultBranch`, `BranchProtected`. */
export async function keepBranches(
  tx: Transaction,
  { repositoryId, refs }: Pick<Publication, "repositoryId" | "refs">,
  forward: ForwardMoves,
): Promise<void> {
  const rules = await readBranchRules(tx, repositoryId);
  if (rules === null) return;
  for (const ref of refs) {
    const broken = brokenRule(rules, ref, forward.has(ref.name));
    if (broken !== null) throw broken;
  }
}
