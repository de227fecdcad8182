import type { RepositoryStore } from "../../repositories/store.ts";
import { branchAnswer } from "../answers/ref.ts";
import { findRepository } from "../find-repository.ts";
import { presentBranch } from "../present/present-branch.ts";
import { readExistingRef } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { refName, repositoryAddress } from "../schemas.ts";

export const getBranch = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "getBranch",
    tag: "Refs",
    summary: "A branch",
    method: "GET",
    path: "/branches/:branch*",
    access: "read",
    params: repositoryAddress.extend({ branch: refName.describe("Name of the branch.") }),
    answers: { 200: branchAnswer },
    problems: ["RefNotFound"],
    async answer({ params }) {
      const name = `refs/heads/${params.branch}`;
      const oid = await readExistingRef(store.reader(await findRepository(store, params)), name);
      return { status: 200, body: presentBranch({ name, oid }) };
    },
  });
