// A stored repository as the API shows it.

import { managedBy } from "../../domain/managed-by.ts";
import type { RepositoryListing } from "../../sync/catalog.ts";
import type { AnswerOf } from "../answers/answer-of.ts";
import type { repositoryAnswer } from "../answers/repository.ts";

export function presentRepository(repository: RepositoryListing): AnswerOf<typeof repositoryAnswer> {
  const { id, namespace, slug, description, visibility, owner } = repository;
  return {
    id,
    namespace,
    slug,
    description,
    visibility,
    default_branch: repository.defaultBranch,
    protected_branches: repository.protectedBranches,
    managed_by: managedBy(owner, "Repository", { namespace, name: slug }),
    head_sha: repository.headSha,
    size_bytes: repository.sizeBytes,
    created_at: repository.createdAt,
  };
}
