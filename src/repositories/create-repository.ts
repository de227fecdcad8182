// A new repository and its first commit, in one transaction.
import type { Database } from "../db/database.ts";
import { insertRepository } from "../db/repositories.ts";
import { newRowId } from "../db/row-id.ts";
import { CoregitError } from "../domain/errors.ts";
import { branchRef } from "../domain/ref-name.ts";
import { writePublication } from "./publish.ts";
import type { FirstCommit, PreparedPack, Repository } from "./store.ts";

/** @throws CoregitError `RepositoryExists`, `RefNameRefused`. */
export async function createRepository(
  database: Database,
  content: Omit<Repository, "id">,
  first: (Pick<FirstCommit, "commit" | "actor"> & { readonly packs: readonly PreparedPack[] }) | null,
): Promise<Repository> {
  const repository = { ...content, id: newRowId("repo") };
  const name = branchRef(repository.defaultBranch);
  await database.transaction(async (tx) => {
    if (!(await insertRepository(tx, repository))) {
      throw new CoregitError("RepositoryExists", `There is a repository ${content.namespace}/${content.slug} already.`);
    }
    if (first === null) return;
    const refs = [{ name, expected: null, next: first.commit }];
    await writePublication(tx, {
      repositoryId: repository.id,
      packs: first.packs,
      refs,
      actor: first.actor,
      reason: "create the repository",
    });
  });
  return repository;
}
