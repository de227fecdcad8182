import { z } from "zod";
import { changeRef } from "../../repositories/change-ref.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import { DELETED, deletedAnswer } from "../answers/deleted.ts";
import { changeContext } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { expectedSha, refName, repositoryAddress } from "../schemas.ts";

export const deleteTag = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "deleteTag",
    tag: "Refs",
    summary: "Delete a tag",
    description: "`expected_sha` is what the ref itself is at, for an annotated tag its own object.",
    method: "DELETE",
    path: "/tags/:tag*",
    access: "write",
    params: repositoryAddress.extend({ tag: refName.describe("Name of the tag.") }),
    query: z.strictObject({ expected_sha: expectedSha }),
    answers: { 200: deletedAnswer },
    problems: ["RefNotFound", "RefMoved"],
    async answer(request) {
      const context = await changeContext(store, request, "delete tag");
      const name = `refs/tags/${request.params.tag}`;
      await changeRef(context, { name, next: null, expected: request.query.expected_sha, force: false });
      return { status: 200, body: DELETED };
    },
  });
