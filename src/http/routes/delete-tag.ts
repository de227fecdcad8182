import { z } from "zod";
import { changeRef } from "../../repositories/change-ref.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import { changeContext } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { oid, refName, repositoryAddress } from "../schemas.ts";

/** `expected_sha` is what the ref itself is at, for an annotated tag its own object. */
export const deleteTag = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    method: "DELETE",
    path: "/tags/:tag*",
    access: "write",
    params: repositoryAddress.extend({ tag: refName }),
    query: z.strictObject({ expected_sha: oid.optional() }),
    async answer(request) {
      const context = await changeContext(store, request, "delete tag");
      const name = `refs/tags/${request.params.tag}`;
      await changeRef(context, { name, next: null, expected: request.query.expected_sha, force: false });
      return { status: 200, body: { deleted: true } };
    },
  });
