import { nameParts, type RepositoryAddress } from "./address.ts";
import type { Calls } from "./calls.ts";
import type { Page } from "./paginate.ts";
import type { DeleteRef, ListNames } from "./refs.ts";
import type { RequestOptions, Result } from "./result.ts";

export type Tag = {
  /** Without `refs/tags/`. */
  readonly name: string;
  /** The commit that the tag leads to. */
  readonly sha: string;
  /** null: a lightweight tag. */
  readonly annotation: TagAnnotation | null;
};

export type TagAnnotation = {
  /** The tag's own object. */
  readonly sha: string;
  readonly message: string;
  readonly tagger_name: string | null;
  readonly tagger_email: string | null;
  /** Seconds since the epoch. */
  readonly timestamp: number | null;
};

export type TagPage = Page & { readonly tags: readonly Tag[] };

/** A lightweight tag, at `from`, at `sha`, or at the default branch's head when neither is given. */
export type CreateTag = {
  readonly name: string;
  /** A branch, tag or commit. */
  readonly from?: string | undefined;
  /** A commit by its whole id. */
  readonly sha?: string | undefined;
};

export interface TagsApi {
  list(repository: RepositoryAddress, query?: ListNames, options?: RequestOptions): Promise<Result<TagPage>>;
  create(repository: RepositoryAddress, tag: CreateTag, options?: RequestOptions): Promise<Result<Tag>>;
  get(repository: RepositoryAddress, name: string, options?: RequestOptions): Promise<Result<Tag>>;
  /** `expected_sha` of an annotated tag is its own object. */
  delete(
    repository: RepositoryAddress,
    name: string,
    query?: DeleteRef,
    options?: RequestOptions,
  ): Promise<Result<{ readonly deleted: true }>>;
}

export function createTagsApi(calls: Calls): TagsApi {
  const at = (name: string) => ["tags", ...nameParts(name)];
  return {
    list: (repository, query, options) => calls.json({ method: "GET", repository, path: ["tags"], query, options }),
    create: (repository, body, options) => calls.json({ method: "POST", repository, path: ["tags"], body, options }),
    get: (repository, name, options) => calls.json({ method: "GET", repository, path: at(name), options }),
    delete: (repository, name, query, options) => calls.json({ method: "DELETE", repository, path: at(name), query, options }),
  };
}
