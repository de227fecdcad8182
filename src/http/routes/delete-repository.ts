import { z } from "zod";
import type { RepositoryChanges } from "../../sync/repository-changes.ts";
import { DELETED, deletedAnswer } from "../answers/deleted.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { flag, repositoryAddress } from "../schemas.ts";

export const deleteRepository = (repositories: RepositoryChanges): Route =>
  defineRepositoryRoute({
    name: "deleteRepository",
    tag: "Repositories",
    summary: "Delete a repository",
    description: "With `cascade` also the syncs that the API declared into it.",
    method: "DELETE",
    path: "",
    access: "master",
    params: repositoryAddress,
    query: z.strictObject({ cascade: flag.describe("Also delete the syncs of the API into it.") }),
    answers: { 200: deletedAnswer },
    problems: ["Managed", "RepositoryInUse"],
    async answer({ params, query: { cascade } }) {
      await repositories.remove(params, { cascade });
      return { status: 200, body: DELETED };
    },
  });
