// A declared repository becomes the owner of a row. Responsible for adoption (one made by a sync or the API is taken over)
// and for what follows when the declaration goes.
import { isDeepStrictEqual } from "node:util";
import type { Database } from "../db/database.ts";
import {
  type DeclaredRepository,
  findDeclaredRepository,
  lockRepository,
  makeRepository,
  updateDeclaredRepository,
} from "../db/declared-repositories.ts";
import { deleteRepository } from "../db/repositories.ts";
import { disownRepository } from "../db/syncs.ts";
import type { RepositoryDeclaration } from "../domain/declaration.ts";
import { CoregitError } from "../domain/errors.ts";
import { checkBranchName } from "../domain/ref-name.ts";
import { checkSlug } from "../domain/slug.ts";
import type { Owner } from "../domain/sync-spec.ts";
import type { RepositoryStore } from "../repositories/store.ts";

/** @throws CoregitError `RepositoryExists` when another declared owner holds it, `InvalidSpec`. */
export async function declareRepository(
  database: Database,
  declaration: RepositoryDeclaration,
): Promise<{ readonly id: string }> {
  check(declaration);
  const current = await findDeclaredRepository(database, declaration.namespace, declaration.slug);
  if (current !== null) {
    refuseForeign(current, declaration);
    if (isDeepStrictEqual(current, toRow(current.id, declaration))) return { id: current.id };
  }
  return database.transaction(async (tx) => {
    const { id } = await makeRepository(tx, declaration.namespace, declaration.slug);
    await updateDeclaredRepository(tx, toRow(id, declaration));
    await disownRepository(tx, id);
    return { id };
  });
}

/** Removes the repository (Delete) or leaves it to the API (Retain). Idempotent. */
export async function withdrawRepository(
  database: Database,
  store: RepositoryStore,
  declared: { readonly owner: Owner; readonly namespace: string; readonly slug: string },
): Promise<void> {
  const removed = await database.transaction(async (tx) => {
    const current = await lockRepository(tx, declared.namespace, declared.slug);
    if (current === null || !isDeepStrictEqual(current.owner, declared.owner)) return null;
    if (current.deletionPolicy === "Delete") {
      await deleteRepository(tx, current.id);
      return current.id;
    }
    await updateDeclaredRepository(tx, { ...current, owner: { kind: "api", ref: "" } });
    return null;
  });
  // Decided above, by who may write; what is left in the blob store and the cache is garbage from there on.
  if (removed !== null) await store.remove(removed);
}

function check(declaration: RepositoryDeclaration): void {
  const slug = checkSlug(declaration.slug);
  if (slug !== null) throw new CoregitError("InvalidSpec", slug);
  const branch = checkBranchName(declaration.defaultBranch);
  if (branch !== null) throw new CoregitError("InvalidSpec", `The default branch ${branch}.`);
}

function refuseForeign(current: DeclaredRepository, declaration: RepositoryDeclaration): void {
  const { owner } = current;
  const isAdoptable =
    owner.kind === "api" ||
    isDeepStrictEqual(owner, declaration.owner) ||
    (owner.kind === "resource" && declaration.owner.kind === "resource");
  if (isAdoptable) return;
  const name = `${declaration.namespace}/${declaration.slug}`;
  throw new CoregitError("RepositoryExists", `The repository ${name} is declared elsewhere (${owner.kind} ${owner.ref}).`, {
    details: { owner },
  });
}

function toRow(id: string, declaration: RepositoryDeclaration): DeclaredRepository {
  const { owner, defaultBranch, protectedBranches, description, visibility, deletionPolicy } = declaration;
  return { id, owner, defaultBranch, protectedBranches, description, visibility, deletionPolicy };
}
