import { z } from "zod";
import { branch, slug } from "../../resources/fields.ts";
import type { Catalog } from "../../sync/catalog.ts";
import type { RepositoryChanges } from "../../sync/repository-changes.ts";
import { presentRepository } from "../present/present-repository.ts";
import { repositoryNotFound } from "../principal.ts";
import { defineRoute, type Route } from "../route.ts";
import { descriptionText, namespaceName, visibility } from "../schemas.ts";

type Ports = { readonly repositories: RepositoryChanges; readonly catalog: Catalog };

const body = z.strictObject({
  slug: slug(),
  namespace: namespaceName.default("default"),
  description: descriptionText.default(""),
  visibility: visibility.default("private"),
  default_branch: branch().default("main"),
  init: z.boolean().default(false),
});

/** `init` makes a first commit with a README. */
export const createRepository = ({ repositories, catalog }: Ports): Route =>
  defineRoute({
    method: "POST",
    path: "/repos",
    access: "master",
    body,
    async answer({ body: { init, default_branch: defaultBranch, ...asked }, principal }) {
      const made = await repositories.create({ ...asked, defaultBranch }, { init, actor: principal.actor });
      const repository = await catalog.readRepository(made.namespace, made.slug);
      if (repository === null) throw repositoryNotFound(made);
      return { status: 201, body: presentRepository(repository) };
    },
  });
