import type { RepositoryStore } from "../../repositories/store.ts";
import type { Catalog } from "../../sync/catalog.ts";
import type { Declarations } from "../../sync/declarations.ts";
import { syncConfigAnswer } from "../answers/sync.ts";
import { findRepository } from "../find-repository.ts";
import { foremostSync } from "../find-sync.ts";
import { presentSyncConfig } from "../present/present-sync.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { repositoryAddress } from "../schemas.ts";

type Ports = { readonly store: RepositoryStore; readonly declarations: Declarations; readonly catalog: Catalog };

export const getSyncConfig = ({ store, declarations, catalog }: Ports): Route =>
  defineRepositoryRoute({
    name: "getSyncConfig",
    tag: "Sync",
    summary: "The repository's sync",
    description: "The one that the API declared where there are several, else the first by name.",
    method: "GET",
    path: "/sync/config",
    access: "read",
    params: repositoryAddress,
    answers: { 200: syncConfigAnswer },
    async answer({ params }) {
      const repository = await findRepository(store, params);
      const sync = foremostSync(await declarations.listSyncs({ repositoryId: repository.id }));
      if (sync === null) return { status: 200, body: { config: null } };
      const connection = sync.connectionId === null ? null : await catalog.readConnection(sync.connectionId);
      return { status: 200, body: { config: presentSyncConfig(sync, connection, repository.defaultBranch) } };
    },
  });
