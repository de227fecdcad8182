import { z } from "zod";
import type { RepositoryStore } from "../../repositories/store.ts";
import type { Declarations } from "../../sync/declarations.ts";
import { syncsAnswer } from "../answers/sync.ts";
import { findRepository } from "../find-repository.ts";
import { presentSync } from "../present/present-sync.ts";
import { defineRepositoryRoute, defineRoute, type Route } from "../route.ts";
import { namespaceFilter, repositoryAddress } from "../schemas.ts";

export const listSyncs = (declarations: Declarations): Route =>
  defineRoute({
    name: "listSyncs",
    tag: "Sync",
    summary: "All syncs, or those of one namespace",
    method: "GET",
    path: "/syncs",
    access: "master",
    query: z.strictObject({ namespace: namespaceFilter }),
    answers: { 200: syncsAnswer },
    async answer({ query: { namespace } }) {
      const syncs = await declarations.listSyncs(namespace === undefined ? {} : { namespace });
      return { status: 200, body: { syncs: syncs.map(presentSync) } };
    },
  });

export const listRepositorySyncs = (store: RepositoryStore, declarations: Declarations): Route =>
  defineRepositoryRoute({
    name: "listRepositorySyncs",
    tag: "Sync",
    summary: "The syncs of one repository, however declared",
    method: "GET",
    path: "/syncs",
    access: "read",
    params: repositoryAddress,
    answers: { 200: syncsAnswer },
    async answer({ params }) {
      const repository = await findRepository(store, params);
      const syncs = await declarations.listSyncs({ repositoryId: repository.id });
      return { status: 200, body: { syncs: syncs.map(presentSync) } };
    },
  });
