import { branchRef } from "../../domain/ref-name.ts";
import { changeRef } from "../../repositories/change-ref.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import { branchAnswer } from "../answers/ref.ts";
import { presentBranch } from "../present/present-branch.ts";
import { changeContext, newRefBody, readStart } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { repositoryAddress } from "../schemas.ts";

export const createBranch = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "createBranch",
    tag: "Refs",
    summary: "Create a branch",
    description: "Begins at `from` (branch, tag or commit), at the commit `from_sha`, or at the default branch's head.",
    method: "POST",
    path: "/branches",
    access: "write",
    params: repositoryAddress,
    body: newRefBody,
    example: { name: "topic", from: "main" },
    answers: { 201: branchAnswer },
    problems: ["RefNotFound", "RefNameRefused", "RefExists", "RefMoved"],
    async answer(request) {
      const name = branchRef(request.body.name);
      const context = await changeContext(store, request, "create branch");
      const oid = await readStart(store.reader(context.repository), request.body);
      await changeRef(context, { name, next: oid, expected: null, force: false });
      return { status: 201, body: presentBranch({ name, oid }) };
    },
  });
