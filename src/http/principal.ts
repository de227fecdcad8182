// Who asks, and whether they may. What somebody may not see is answered like something that is not there.
import { CoregitError } from "../domain/errors.ts";
import { hasRight, type RepositoryName, type Right, type Scopes } from "../domain/token-scopes.ts";
import type { Repository } from "../repositories/store.ts";

/** `actor` stands in the reflog for whatever the principal moves. */
export type Principal =
  | { readonly kind: "master"; readonly actor: "master" }
  | { readonly kind: "token"; readonly id: string; readonly actor: `token:${string}`; readonly scopes: Scopes };

/** Whoever has no key: may do nothing. */
export const NOBODY: Principal = { kind: "token", id: "", actor: "token:", scopes: {} };

export const MASTER: Principal = { kind: "master", actor: "master" };

/** Whether the principal has the right by what it carries, without looking at the repository. */
export function isGranted(principal: Principal, repository: RepositoryName, right: Right): boolean {
  return principal.kind === "master" || hasRight(principal.scopes, repository, right);
}

type Target = Pick<Repository, "namespace" | "slug" | "visibility">;

/** Whoever holds any key may read a public repository. */
export function canRead(principal: Principal, repository: Target): boolean {
  return repository.visibility === "public" || isGranted(principal, repository, "read");
}

/**
 * Lets the principal read or write the repository.
 * @throws CoregitError `RepositoryNotFound` when the principal may not know of it, `Forbidden` when it may only read.
 */
export function authorize(principal: Principal, repository: Target, right: Right): void {
  if (isGranted(principal, repository, right)) return;
  if (!canRead(principal, repository)) throw repositoryNotFound(repository);
  if (right === "write") {
    throw new CoregitError("Forbidden", `The API key may not write to ${repository.namespace}/${repository.slug}.`);
  }
}

export function repositoryNotFound({ namespace, slug }: RepositoryName): CoregitError {
  return new CoregitError("RepositoryNotFound", `There is no repository ${namespace}/${slug}.`);
}
