import { z } from "zod";
import type { RepositoryStore } from "../../repositories/store.ts";
import type { Declarations } from "../../sync/declarations.ts";
import { findRepository } from "../find-repository.ts";
import { presentSync } from "../present/present-sync.ts";
import { defineRepositoryRoute, defineRoute, type Route } from "../route.ts";
import { namespaceName, repositoryAddress } from "../schemas.ts";

/** All syncs, or those of one namespace. */
export const listSyncs = (declarations: Declarations): Route =>
  defineRoute({
    method: "GET",
    path: "/syncs",
    access: "master",
    query: z.strictObject({ namespace: namespaceName.optional() }),
    async answer({ query: { namespace } }) {
      const syncs = await declarations.listSyncs(namespace === undefined ? {} : { namespace });
      return { status: 200, body: { syncs: syncs.map(presentSync) } };
    },
  });

/** The syncs of one repository, however declared. */
export const listRepositorySyncs = (store: RepositoryStore, declarations: Declarations): Route =>
  defineRepositoryRoute({
    method: "GET",
    path: "/syncs",
    access: "read",
    params: repositoryAddress,
    async answer({ params }) {
      const repository = await findRepository(store, params);
      const syncs = await declarations.listSyncs({ repositoryId: repository.id });
      return { status: 200, body: { syncs: syncs.map(presentSync) } };
    },
  });
