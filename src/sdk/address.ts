// From names to addresses. Every part is encoded by itself, and what cannot stand in an address is refused here: a part
// `..`, however encoded, would be taken away with the part before it, and the request would reach another route.

/** A repository: `slug`, in the namespace `default`; `namespace/slug`; or what the API answers. */
export type RepositoryAddress = string | { readonly namespace?: string | undefined; readonly slug: string };

export type QueryValue = string | number | boolean | null | undefined;
export type Query = Readonly<Record<string, QueryValue>>;

export type Target = {
  /** Of a repository's route; absent: the route is no repository's. */
  readonly repository?: RepositoryAddress;
  /** What follows, part by part, as it is meant. A name with slashes is several parts. */
  readonly path: readonly string[];
  /** null and undefined are left out. */
  readonly query?: Query | undefined;
};

/** Words of routes, which cannot be slugs: `team/tree` would be the tree of the repository `team`. */
export const RESERVED_SLUGS: ReadonlySet<string> = new Set([
  "blob",
  "branches",
  "commits",
  "compare",
  "diff",
  "raw",
  "refs",
  "sync",
  "syncs",
  "tags",
  "tree",
]);

export type Address = { readonly url: string } | { readonly refusal: string };

/** The address of `target` below `baseUrl`, which has no slash at its end, or one sentence on why there is none. */
export function addressOf(baseUrl: string, target: Target): Address {
  const repository = target.repository === undefined ? [] : partsOf(target.repository);
  const parts = [...repository, ...target.path];
  const refused = parts.find((part) => !canStandInAddress(part));
  if (refused !== undefined) return { refusal: `${JSON.stringify(refused)} cannot be part of a name in an address.` };
  const [, slug] = repository;
  if (slug !== undefined && RESERVED_SLUGS.has(slug)) {
    return { refusal: `${JSON.stringify(slug)} is a word of the API's routes and cannot be a repository's slug.` };
  }
  const path = (target.repository === undefined ? parts : ["repos", ...parts]).map(encodeURIComponent).join("/");
  const query = queryOf(target.query ?? {});
  return { url: `${baseUrl}/v1/${path}${query === "" ? "" : `?${query}`}` };
}

/** A name with slashes, as it stands in an address: `feature/x`, `heads/main`. */
export function nameParts(name: string): readonly string[] {
  return name.split("/");
}

/** Namespace and slug, or the slug alone. */
function partsOf(repository: RepositoryAddress): readonly string[] {
  if (typeof repository !== "string") {
    return repository.namespace === undefined ? [repository.slug] : [repository.namespace, repository.slug];
  }
  const slash = repository.indexOf("/");
  return slash === -1 ? [repository] : [repository.slice(0, slash), repository.slice(slash + 1)];
}

function canStandInAddress(part: string): boolean {
  return part !== "" && part !== "." && part !== ".." && !/\p{Surrogate}/u.test(part);
}

function queryOf(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return new URLSearchParams(given).toString();
}
