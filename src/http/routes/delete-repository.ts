import { z } from "zod";
import type { RepositoryChanges } from "../../sync/repository-changes.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { flag, repositoryAddress } from "../schemas.ts";

/** With `cascade` also the syncs that the API declared into it. */
export const deleteRepository = (repositories: RepositoryChanges): Route =>
  defineRepositoryRoute({
    method: "DELETE",
    path: "",
    access: "master",
    params: repositoryAddress,
    query: z.strictObject({ cascade: flag }),
    async answer({ params, query: { cascade } }) {
      await repositories.remove(params, { cascade });
      return { status: 200, body: { deleted: true } };
    },
  });
