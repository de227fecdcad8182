import type { SyncStatus } from "../../domain/declaration.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import type { Catalog } from "../../sync/catalog.ts";
import type { Declarations } from "../../sync/declarations.ts";
import { findRepository } from "../find-repository.ts";
import { presentSyncConfig } from "../present/present-sync.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { repositoryAddress } from "../schemas.ts";

type Ports = { readonly store: RepositoryStore; readonly declarations: Declarations; readonly catalog: Catalog };

/** The repository's sync: the one that the API declared where there are several, else the first by name. */
export const getSyncConfig = ({ store, declarations, catalog }: Ports): Route =>
  defineRepositoryRoute({
    method: "GET",
    path: "/sync/config",
    access: "read",
    params: repositoryAddress,
    async answer({ params }) {
      const repository = await findRepository(store, params);
      const sync = configOf(await declarations.listSyncs({ repositoryId: repository.id }));
      if (sync === null) return { status: 200, body: { config: null } };
      const connection = sync.connectionId === null ? null : await catalog.readConnection(sync.connectionId);
      return { status: 200, body: { config: presentSyncConfig(sync, connection, repository.defaultBranch) } };
    },
  });

function configOf(syncs: readonly SyncStatus[]): SyncStatus | null {
  return syncs.find((sync) => sync.owner.kind === "api") ?? syncs[0] ?? null;
}
