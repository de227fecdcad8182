// Refs by their full names, and what lists and deletions of branches, tags and refs have in common.
import { nameParts, type RepositoryAddress } from "./address.ts";
import type { Calls } from "./calls.ts";
import type { Page } from "./paginate.ts";
import type { RequestOptions, Result } from "./result.ts";

export type Ref = {
  /** Full name, `refs/heads/main`. */
  readonly ref: string;
  readonly sha: string;
};

export type RefPage = Page & { readonly refs: readonly Ref[] };

export type MovedRef = Ref & {
  /** Where the ref was; null: it was not there. */
  readonly previous_sha: string | null;
};

/** Names come in the order of their bytes. */
export type ListNames = {
  /** 1 to 500, default 100. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
};

export type ListRefs = ListNames & {
  /** What full names begin with; default `refs/`. */
  readonly prefix?: string | undefined;
};

export type DeleteRef = {
  /** Delete only what is at this commit; otherwise 409 `REF_MOVED` with `head_sha`. */
  readonly expected_sha?: string | undefined;
};

export type UpdateRef = {
  readonly sha: string;
  /** Move only from there, or 409 `REF_MOVED`; null: only make it, or 409 `REF_EXISTS`. Both errors have `head_sha`. */
  readonly expected_sha?: string | null | undefined;
  /** Also where the new commit does not have the present one among its ancestors. */
  readonly force?: boolean | undefined;
};

export interface RefsApi {
  list(repository: RepositoryAddress, query?: ListRefs, options?: RequestOptions): Promise<Result<RefPage>>;
  create(repository: RepositoryAddress, ref: Ref, options?: RequestOptions): Promise<Result<Ref>>;
  /** `name` with or without its `refs/`. */
  get(repository: RepositoryAddress, name: string, options?: RequestOptions): Promise<Result<Ref>>;
  /** Moves a ref, or makes it: then the status is 201. */
  update(repository: RepositoryAddress, name: string, change: UpdateRef, options?: RequestOptions): Promise<Result<MovedRef>>;
  delete(
    repository: RepositoryAddress,
    name: string,
    query?: DeleteRef,
    options?: RequestOptions,
  ): Promise<Result<{ readonly deleted: true }>>;
}

export function createRefsApi(calls: Calls): RefsApi {
  const at = (name: string) => ["refs", ...nameParts(name.replace(/^refs\//, ""))];
  return {
    list: (repository, query, options) => calls.json({ method: "GET", repository, path: ["refs"], query, options }),
    create: (repository, body, options) => calls.json({ method: "POST", repository, path: ["refs"], body, options }),
    get: (repository, name, options) => calls.json({ method: "GET", repository, path: at(name), options }),
    update: (repository, name, body, options) => calls.json({ method: "PUT", repository, path: at(name), body, options }),
    delete: (repository, name, query, options) => calls.json({ method: "DELETE", repository, path: at(name), query, options }),
  };
}
