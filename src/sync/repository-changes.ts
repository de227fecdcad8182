// What the API may do to repositories as such. One that a resource or a file declares, or that a declared sync works in, is
// for its owner to change: the API would only undo it until the next reconcile.
import type { Database, Transaction } from "../db/database.ts";
import { type DeclaredRepository, lockRepository, updateDeclaredRepository } from "../db/declared-repositories.ts";
import { hasBranch, readRef } from "../db/refs.ts";
import { deleteRepository } from "../db/repositories.ts";
import { listSyncNames } from "../db/repository-syncs.ts";
import type { Clock } from "../domain/clock.ts";
import { CoregitError } from "../domain/errors.ts";
import { managedBy } from "../domain/managed-by.ts";
import { branchRef } from "../domain/ref-name.ts";
import type { RepositoryName } from "../domain/token-scopes.ts";
import type { Repository, RepositoryStore } from "../repositories/store.ts";
import { readmeCommit } from "./readme-commit.ts";

export type RepositoryPatch = Partial<Pick<Repository, "description" | "visibility" | "defaultBranch" | "protectedBranches">>;

export interface RepositoryChanges {
  /** `init`: with a commit of a README, by `actor`. @throws CoregitError `RepositoryExists`, `RefNameRefused`. */
  create(repository: Omit<Repository, "id">, options: { readonly init: boolean; readonly actor: string }): Promise<Repository>;
  /** @throws CoregitError `RepositoryNotFound`, `Managed`, `RefNotFound` for a default branch that is not there. */
  update(name: RepositoryName, patch: RepositoryPatch): Promise<void>;
  /**
   * Removes it with its objects and history; syncs that the API declared go with it when `cascade`.
   * @throws CoregitError `RepositoryNotFound`, `Managed`, `RepositoryInUse` with `details.syncs`.
   */
  remove(name: RepositoryName, options: { readonly cascade: boolean }): Promise<void>;
}

export function openRepositoryChanges({
  database,
  store,
  clock,
}: {
  readonly database: Database;
  readonly store: RepositoryStore;
  readonly clock: Clock;
}): RepositoryChanges {
  return {
    create: (repository, { init, actor }) =>
      store.create(repository, init ? { ...readmeCommit(repository, clock.now()), actor } : null),
    async update(name, patch) {
      await database.transaction(async (tx) => {
        const current = await lockOwn(tx, name);
        if (patch.defaultBranch !== undefined) await checkDefaultBranch(tx, current.id, patch.defaultBranch);
        await updateDeclaredRepository(tx, { ...current, ...patch });
      });
    },
    async remove(name, { cascade }) {
      const id = await database.transaction(async (tx) => {
        const current = await lockOwn(tx, name);
        await checkSyncs(tx, current.id, cascade);
        await deleteRepository(tx, current.id);
        return current.id;
      });
      // The rows are gone; what is left in the blob store and the cache is garbage from here on.
      await store.remove(id);
    },
  };
}

async function lockOwn(tx: Transaction, name: RepositoryName): Promise<DeclaredRepository> {
  const { namespace, slug } = name;
  const current = await lockRepository(tx, namespace, slug);
  if (current === null) throw new CoregitError("RepositoryNotFound", `There is no repository ${namespace}/${slug}.`);
  const owner = managedBy(current.owner, "Repository", { namespace, name: slug });
  if (owner === null) return current;
  throw new CoregitError("Managed", `The repository is managed by ${owner}.`, { details: { managed_by: owner } });
}

/** Of a repository without branches it is the name of the one to come. */
async function checkDefaultBranch(tx: Transaction, repositoryId: string, branch: string): Promise<void> {
  const ref = branchRef(branch);
  if ((await readRef(tx, repositoryId, ref)) !== null || !(await hasBranch(tx, repositoryId))) return;
  throw new CoregitError("RefNotFound", `There is no branch ${branch}.`, { details: { field: "default_branch" } });
}

async function checkSyncs(tx: Transaction, repositoryId: string, cascade: boolean): Promise<void> {
  const syncs = await listSyncNames(tx, repositoryId);
  const owner = syncs.map((sync) => managedBy(sync.owner, "RepoSync", sync)).find((name) => name !== null);
  if (owner !== undefined) {
    throw new CoregitError("Managed", `The repository is in use by ${owner}.`, { details: { managed_by: owner } });
  }
  if (syncs.length === 0 || cascade) return;
  throw new CoregitError("RepositoryInUse", "Syncs use the repository; delete them first, or add ?cascade=true.", {
    details: { syncs: syncs.map(({ id }) => id) },
  });
}
