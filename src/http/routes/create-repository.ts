import { z } from "zod";
import { protectedBranches, slug } from "../../resources/fields.ts";
import type { Catalog } from "../../sync/catalog.ts";
import type { RepositoryChanges } from "../../sync/repository-changes.ts";
import { repositoryAnswer } from "../answers/repository.ts";
import { presentRepository } from "../present/present-repository.ts";
import { repositoryNotFound } from "../principal.ts";
import { defineRoute, type Route } from "../route.ts";
import { defaultBranchName, descriptionText, namespaceName, visibility } from "../schemas.ts";

type Ports = { readonly repositories: RepositoryChanges; readonly catalog: Catalog };

const body = z.strictObject({
  slug: slug(),
  namespace: namespaceName.default("default"),
  description: descriptionText.default(""),
  visibility: visibility.default("private"),
  default_branch: defaultBranchName.default("main"),
  protected_branches: protectedBranches().default([]),
  init: z.boolean().default(false),
});

export const createRepository = ({ repositories, catalog }: Ports): Route =>
  defineRoute({
    name: "createRepository",
    tag: "Repositories",
    summary: "Create a repository",
    description: "`init` makes a first commit with a README.",
    method: "POST",
    path: "/repos",
    access: "master",
    body,
    example: { slug: "site", description: "Our web site", init: true },
    answers: { 201: repositoryAnswer },
    problems: ["RepositoryExists", "RepositoryNotFound"],
    async answer({ body: given, principal }) {
      const { init, default_branch: defaultBranch, protected_branches: kept, ...asked } = given;
      const repositoryToMake = { ...asked, defaultBranch, protectedBranches: kept };
      const made = await repositories.create(repositoryToMake, { init, actor: principal.actor });
      const repository = await catalog.readRepository(made.namespace, made.slug);
      if (repository === null) throw repositoryNotFound(made);
      return { status: 201, body: presentRepository(repository) };
    },
  });
