import { CoregitError } from "../../domain/errors.ts";
import type { Catalog } from "../../sync/catalog.ts";
import { repositoryAnswer } from "../answers/repository.ts";
import { presentRepository } from "../present/present-repository.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { repositoryAddress } from "../schemas.ts";

export const getRepository = (catalog: Catalog): Route =>
  defineRepositoryRoute({
    name: "getRepository",
    tag: "Repositories",
    summary: "A repository",
    method: "GET",
    path: "",
    access: "read",
    params: repositoryAddress,
    answers: { 200: repositoryAnswer },
    async answer({ params: { namespace, slug } }) {
      const repository = await catalog.readRepository(namespace, slug);
      if (repository !== null) return { status: 200, body: presentRepository(repository) };
      throw new CoregitError("RepositoryNotFound", `There is no repository ${namespace}/${slug}.`);
    },
  });
