import { z } from "zod";
import { changeRef } from "../../repositories/change-ref.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import { DELETED, deletedAnswer } from "../answers/deleted.ts";
import { changeContext } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { expectedSha, refName, repositoryAddress } from "../schemas.ts";

export const deleteBranch = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "deleteBranch",
    tag: "Refs",
    summary: "Delete a branch",
    description: "Any branch but the default one. Its commits stay, and the reflog says where it was.",
    method: "DELETE",
    path: "/branches/:branch*",
    access: "write",
    params: repositoryAddress.extend({ branch: refName.describe("Name of the branch.") }),
    query: z.strictObject({ expected_sha: expectedSha }),
    answers: { 200: deletedAnswer },
    problems: ["RefNotFound", "RefMoved", "DefaultBranch", "BranchProtected"],
    async answer(request) {
      const context = await changeContext(store, request, "delete branch");
      const name = `refs/heads/${request.params.branch}`;
      await changeRef(context, { name, next: null, expected: request.query.expected_sha, force: false });
      return { status: 200, body: DELETED };
    },
  });
