import { z } from "zod";
import { changeRef } from "../../repositories/change-ref.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import { changeContext } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { oid, refName, repositoryAddress } from "../schemas.ts";

/** Any branch but the default one. Its commits stay, and the reflog says where it was. */
export const deleteBranch = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    method: "DELETE",
    path: "/branches/:branch*",
    access: "write",
    params: repositoryAddress.extend({ branch: refName }),
    query: z.strictObject({ expected_sha: oid.optional() }),
    async answer(request) {
      const context = await changeContext(store, request, "delete branch");
      const name = `refs/heads/${request.params.branch}`;
      await changeRef(context, { name, next: null, expected: request.query.expected_sha, force: false });
      return { status: 200, body: { deleted: true } };
    },
  });
