import { nameParts, type RepositoryAddress } from "./address.ts";
import type { Calls } from "./calls.ts";
import type { Page } from "./paginate.ts";
import type { DeleteRef, ListNames } from "./refs.ts";
import type { RequestOptions, Result } from "./result.ts";

export type Branch = {
  /** Without `refs/heads/`. */
  readonly name: string;
  readonly sha: string;
};

export type BranchPage = Page & { readonly branches: readonly Branch[]; readonly default_branch: string };

/** Begins at `from`, at `from_sha`, or at the default branch's head when neither is given. */
export type CreateBranch = {
  readonly name: string;
  /** A branch, tag or commit. */
  readonly from?: string | undefined;
  /** A commit by its whole id. */
  readonly from_sha?: string | undefined;
};

export interface BranchesApi {
  list(repository: RepositoryAddress, query?: ListNames, options?: RequestOptions): Promise<Result<BranchPage>>;
  create(repository: RepositoryAddress, branch: CreateBranch, options?: RequestOptions): Promise<Result<Branch>>;
  get(repository: RepositoryAddress, name: string, options?: RequestOptions): Promise<Result<Branch>>;
  /** Any branch but the default one. */
  delete(
    repository: RepositoryAddress,
    name: string,
    query?: DeleteRef,
    options?: RequestOptions,
  ): Promise<Result<{ readonly deleted: true }>>;
}

export function createBranchesApi(calls: Calls): BranchesApi {
  const at = (name: string) => ["branches", ...nameParts(name)];
  return {
    list: (repository, query, options) => calls.json({ method: "GET", repository, path: ["branches"], query, options }),
    create: (repository, body, options) => calls.json({ method: "POST", repository, path: ["branches"], body, options }),
    get: (repository, name, options) => calls.json({ method: "GET", repository, path: at(name), options }),
    delete: (repository, name, query, options) => calls.json({ method: "DELETE", repository, path: at(name), query, options }),
  };
}
