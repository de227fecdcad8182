// What an API token may do: rights by the repositories that they are for, as the API shows and stores them. Pure.
import { checkSlug } from "./slug.ts";

/** `write` includes `read`: nobody can push what they cannot fetch. */
export type Right = "read" | "write";
export const RIGHTS = ["read", "write"] as const satisfies readonly Right[];

/** Rights by `repos:*`, `repos:slug` (in the namespace `default`) or `repos:namespace/slug`. */
export type Scopes = Readonly<Record<string, readonly Right[]>>;

export type RepositoryName = { readonly namespace: string; readonly slug: string };

const DEFAULT_NAMESPACE = "default";
const EVERY_REPOSITORY = "repos:*";
const FORM = /^repos:(?:([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\/)?([^/]+)$/;

/** Why `scope` names no repository, as the end of a sentence about it; null: it does. */
export function checkScope(scope: string): string | null {
  if (scope === EVERY_REPOSITORY || (nameIn(scope) !== null && checkSlug(nameIn(scope)?.slug ?? "") === null)) return null;
  return "must be repos:*, repos:SLUG or repos:NAMESPACE/SLUG";
}

export function hasRight(scopes: Scopes, repository: RepositoryName, right: Right): boolean {
  return Object.entries(scopes).some(([scope, rights]) => covers(scope, repository) && includesRight(rights, right));
}

/** The repositories that the scopes name; null: all. */
export function namedRepositories(scopes: Scopes): readonly RepositoryName[] | null {
  const granted = Object.keys(scopes).filter((scope) => includesRight(scopes[scope] ?? [], "read"));
  return granted.includes(EVERY_REPOSITORY) ? null : granted.flatMap((scope) => nameIn(scope) ?? []);
}

function covers(scope: string, repository: RepositoryName): boolean {
  if (scope === EVERY_REPOSITORY) return true;
  const name = nameIn(scope);
  return name !== null && name.namespace === repository.namespace && name.slug === repository.slug;
}

function includesRight(rights: readonly Right[], right: Right): boolean {
  return rights.includes(right) || (right === "read" && rights.includes("write"));
}

function nameIn(scope: string): RepositoryName | null {
  const [, namespace, slug] = FORM.exec(scope) ?? [];
  return slug === undefined ? null : { namespace: namespace ?? DEFAULT_NAMESPACE, slug };
}
