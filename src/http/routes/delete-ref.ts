import { z } from "zod";
import { changeRef } from "../../repositories/change-ref.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import { DELETED, deletedAnswer } from "../answers/deleted.ts";
import { changeContext } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { expectedSha, refName, repositoryAddress } from "../schemas.ts";

export const deleteRef = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "deleteRef",
    tag: "Refs",
    summary: "Delete a ref",
    method: "DELETE",
    path: "/refs/:ref*",
    access: "write",
    params: repositoryAddress.extend({ ref: refName.describe("What follows `refs/` in the name: `heads/main`.") }),
    query: z.strictObject({ expected_sha: expectedSha }),
    answers: { 200: deletedAnswer },
    problems: ["RefNotFound", "RefMoved", "DefaultBranch", "BranchProtected"],
    async answer(request) {
      const context = await changeContext(store, request, "delete ref");
      const name = `refs/${request.params.ref}`;
      await changeRef(context, { name, next: null, expected: request.query.expected_sha, force: false });
      return { status: 200, body: DELETED };
    },
  });
