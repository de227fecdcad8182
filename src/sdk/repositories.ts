import type { RepositoryAddress } from "./address.ts";
import type { Calls } from "./calls.ts";
import type { Page } from "./paginate.ts";
import type { RequestOptions, Result } from "./result.ts";

export type Repository = {
  readonly id: string;
  readonly namespace: string;
  readonly slug: string;
  readonly description: string;
  readonly visibility: "private" | "public";
  readonly default_branch: string;
  /** Names and globs of branches that are never deleted and only move forward. */
  readonly protected_branches: readonly string[];
  /** The resource or manifest that declares it and alone may change it; null: the API itself. */
  readonly managed_by: string | null;
  /** Head of the default branch; null: it has no commit. */
  readonly head_sha: string | null;
  /** Bytes stored for it. */
  readonly size_bytes: number;
  readonly created_at: string;
};

export type RepositoryPage = Page & { readonly repositories: readonly Repository[] };

export type CreateRepository = {
  readonly slug: string;
  /** Default: `default`. */
  readonly namespace?: string | undefined;
  readonly description?: string | undefined;
  /** Default: `private`. */
  readonly visibility?: "private" | "public" | undefined;
  /** Default: `main`. */
  readonly default_branch?: string | undefined;
  /** At most 50 names or globs, such as `release/*`. Default: none. */
  readonly protected_branches?: readonly string[] | undefined;
  /** Make a first commit with a README. */
  readonly init?: boolean | undefined;
};

/** Fields that are left out stay as they are. */
export type UpdateRepository = {
  readonly description?: string | undefined;
  readonly visibility?: "private" | "public" | undefined;
  /** Must be there, unless there is no branch at all. */
  readonly default_branch?: string | undefined;
  /** All of them: what is left out is no longer protected. */
  readonly protected_branches?: readonly string[] | undefined;
};

export type ListRepositories = {
  readonly namespace?: string | undefined;
  /** 1 to 100, default 20. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
};

export interface RepositoriesApi {
  /** Needs the master key. */
  create(repository: CreateRepository, options?: RequestOptions): Promise<Result<Repository>>;
  /** Those that the key may read, in order of namespace and slug. */
  list(query?: ListRepositories, options?: RequestOptions): Promise<Result<RepositoryPage>>;
  get(repository: RepositoryAddress, options?: RequestOptions): Promise<Result<Repository>>;
  /** Needs the master key. */
  update(repository: RepositoryAddress, changes: UpdateRepository, options?: RequestOptions): Promise<Result<Repository>>;
  /** Needs the master key. With `cascade` the syncs that the API declared into it go too; without, they are in the way. */
  delete(
    repository: RepositoryAddress,
    query?: { readonly cascade?: boolean | undefined },
    options?: RequestOptions,
  ): Promise<Result<{ readonly deleted: true }>>;
}

export function createRepositoriesApi(calls: Calls): RepositoriesApi {
  return {
    create: (body, options) => calls.json({ method: "POST", path: ["repos"], body, options }),
    list: (query, options) => calls.json({ method: "GET", path: ["repos"], query, options }),
    get: (repository, options) => calls.json({ method: "GET", repository, path: [], options }),
    update: (repository, body, options) => calls.json({ method: "PATCH", repository, path: [], body, options }),
    delete: (repository, query, options) => calls.json({ method: "DELETE", repository, path: [], query, options }),
  };
}
