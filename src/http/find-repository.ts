// From an address to a stored repository.
import type { Repository, RepositoryStore } from "../repositories/store.ts";
import { repositoryNotFound } from "./principal.ts";
import type { RepositoryAddress } from "./schemas.ts";

/** @throws CoregitError `RepositoryNotFound`. */
export async function findRepository(store: Pick<RepositoryStore, "find">, address: RepositoryAddress): Promise<Repository> {
  const repository = await store.find(address.namespace, address.slug);
  if (repository === null) throw repositoryNotFound(address);
  return repository;
}
