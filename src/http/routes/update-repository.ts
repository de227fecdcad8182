import { z } from "zod";
import { protectedBranches } from "../../resources/fields.ts";
import type { Catalog } from "../../sync/catalog.ts";
import type { RepositoryChanges } from "../../sync/repository-changes.ts";
import { repositoryAnswer } from "../answers/repository.ts";
import { presentRepository } from "../present/present-repository.ts";
import { repositoryNotFound } from "../principal.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { defaultBranchName, descriptionText, repositoryAddress, visibility } from "../schemas.ts";

type Ports = { readonly repositories: RepositoryChanges; readonly catalog: Catalog };

const body = z.strictObject({
  description: descriptionText.optional(),
  visibility: visibility.optional(),
  default_branch: defaultBranchName.optional(),
  protected_branches: protectedBranches().optional(),
});

export const updateRepository = ({ repositories, catalog }: Ports): Route =>
  defineRepositoryRoute({
    name: "updateRepository",
    tag: "Repositories",
    summary: "Change a repository",
    description: "Fields that are not given stay as they are.",
    method: "PATCH",
    path: "",
    access: "master",
    params: repositoryAddress,
    body,
    example: { description: "Our web site", visibility: "public" },
    answers: { 200: repositoryAnswer },
    problems: ["Managed", "RefNotFound"],
    async answer({ params, body: asked }) {
      const { description, visibility: shown, default_branch: defaultBranch, protected_branches: kept } = asked;
      await repositories.update(params, {
        ...(description === undefined ? {} : { description }),
        ...(shown === undefined ? {} : { visibility: shown }),
        ...(defaultBranch === undefined ? {} : { defaultBranch }),
        ...(kept === undefined ? {} : { protectedBranches: kept }),
      });
      const repository = await catalog.readRepository(params.namespace, params.slug);
      if (repository === null) throw repositoryNotFound(params);
      return { status: 200, body: presentRepository(repository) };
    },
  });
