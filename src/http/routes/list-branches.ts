import { z } from "zod";
import type { RepositoryStore } from "../../repositories/store.ts";
import { branchesAnswer } from "../answers/ref.ts";
import { findRepository } from "../find-repository.ts";
import { presentBranch } from "../present/present-branch.ts";
import { readRefs, refPageQuery } from "../ref-page.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { repositoryAddress } from "../schemas.ts";

export const listBranches = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "listBranches",
    tag: "Refs",
    summary: "Branches, in order of their names",
    method: "GET",
    path: "/branches",
    access: "read",
    params: repositoryAddress,
    query: z.strictObject(refPageQuery),
    answers: { 200: branchesAnswer },
    async answer({ params, query }) {
      const repository = await findRepository(store, params);
      const { refs, nextCursor } = await readRefs(store.reader(repository), "refs/heads/", query);
      const branches = refs.map(presentBranch);
      return { status: 200, body: { branches, default_branch: repository.defaultBranch, next_cursor: nextCursor } };
    },
  });
