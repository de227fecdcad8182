import { z } from "zod";
import type { RepositoryStore } from "../../repositories/store.ts";
import { findRepository } from "../find-repository.ts";
import { presentCommitWithTree } from "../present/present-commit.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { repositoryAddress } from "../schemas.ts";

const sha = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{4,40}$/, "must be a commit id: 4 to 40 hexadecimal digits");

/** One commit by its full or abbreviated id. */
export const getCommit = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    method: "GET",
    path: "/commits/:sha",
    params: repositoryAddress.extend({ sha }),
    async answer({ params }) {
      const reader = store.reader(await findRepository(store, params));
      const commit = await reader.readCommit(await reader.resolveCommit(params.sha));
      return { status: 200, body: presentCommitWithTree(commit) };
    },
  });
