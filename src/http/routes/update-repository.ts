import { z } from "zod";
import { branch } from "../../resources/fields.ts";
import type { Catalog } from "../../sync/catalog.ts";
import type { RepositoryChanges } from "../../sync/repository-changes.ts";
import { presentRepository } from "../present/present-repository.ts";
import { repositoryNotFound } from "../principal.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { descriptionText, repositoryAddress, visibility } from "../schemas.ts";

type Ports = { readonly repositories: RepositoryChanges; readonly catalog: Catalog };

const body = z.strictObject({
  description: descriptionText.optional(),
  visibility: visibility.optional(),
  default_branch: branch().optional(),
});

/** Fields that are not given stay as they are. */
export const updateRepository = ({ repositories, catalog }: Ports): Route =>
  defineRepositoryRoute({
    method: "PATCH",
    path: "",
    access: "master",
    params: repositoryAddress,
    body,
    async answer({ params, body: asked }) {
      const { description, visibility: shown, default_branch: defaultBranch } = asked;
      await repositories.update(params, {
        ...(description === undefined ? {} : { description }),
        ...(shown === undefined ? {} : { visibility: shown }),
        ...(defaultBranch === undefined ? {} : { defaultBranch }),
      });
      const repository = await catalog.readRepository(params.namespace, params.slug);
      if (repository === null) throw repositoryNotFound(params);
      return { status: 200, body: presentRepository(repository) };
    },
  });
