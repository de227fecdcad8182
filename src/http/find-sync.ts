// From an address to a sync of its repository.
import type { SyncStatus } from "../domain/declaration.ts";
import { CoregitError } from "../domain/errors.ts";
import type { RepositoryStore } from "../repositories/store.ts";
import type { Declarations } from "../sync/declarations.ts";
import { findRepository } from "./find-repository.ts";
import type { RepositoryAddress } from "./schemas.ts";

type Ports = { readonly store: Pick<RepositoryStore, "find">; readonly declarations: Declarations };

/** A sync of another repository is as unknown here as one that does not exist. @throws CoregitError `RepositoryNotFound`, `SyncNotFound`. */
export async function requireSyncOf(
  { store, declarations }: Ports,
  address: RepositoryAddress,
  syncId: string,
): Promise<SyncStatus> {
  const repository = await findRepository(store, address);
  const sync = await declarations.readSync(syncId);
  if (sync?.repository.id === repository.id) return sync;
  throw new CoregitError("SyncNotFound", `The repository ${address.namespace}/${address.slug} has no sync ${syncId}.`);
}

/** What stands for the repository's sync where none is named: the API's own, else the first by name; null: there is none. */
export function foremostSync(syncs: readonly SyncStatus[]): SyncStatus | null {
  return syncs.find(({ owner }) => owner.kind === "api") ?? syncs[0] ?? null;
}
