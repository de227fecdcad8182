// The one branch that nobody deletes: HEAD of every clone.
import type { Transaction } from "../db/database.ts";
import { readRepositoryState } from "../db/repositories.ts";
import { CoregitError } from "../domain/errors.ts";
import { branchOf } from "../domain/ref-name.ts";
import type { Publication } from "./store.ts";

/** Asks in the transaction of the publication what the default branch is. @throws CoregitError `DefaultBranch` when it would go. */
export async function keepDefaultBranch(
  tx: Transaction,
  { repositoryId, refs }: Pick<Publication, "repositoryId" | "refs">,
): Promise<void> {
  const deleted = refs.filter(({ next }) => next === null);
  if (deleted.length === 0) return;
  const state = await readRepositoryState(tx, repositoryId);
  const ref = deleted.find(({ name }) => branchOf(name) === state?.defaultBranch)?.name;
  if (ref === undefined) return;
  const details = { ref };
  throw new CoregitError("DefaultBranch", `${branchOf(ref)} is the default branch and cannot be deleted.`, { details });
}
