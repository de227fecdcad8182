// A stored repository as the API shows it.

import { managedBy } from "../../domain/managed-by.ts";
import type { RepositoryListing } from "../../sync/catalog.ts";

export function presentRepository(repository: RepositoryListing) {
  const { id, namespace, slug, description, visibility, owner } = repository;
  return {
    id,
    namespace,
    slug,
    description,
    visibility,
    default_branch: repository.defaultBranch,
    managed_by: managedBy(owner, "Repository", { namespace, name: slug }),
    head_sha: repository.headSha,
    size_bytes: repository.sizeBytes,
    created_at: repository.createdAt,
  };
}
