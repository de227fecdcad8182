import { z } from "zod";
import { changeRef } from "../../repositories/change-ref.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import { changeContext } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { oid, refName, repositoryAddress } from "../schemas.ts";

export const deleteRef = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    method: "DELETE",
    path: "/refs/:ref*",
    access: "write",
    params: repositoryAddress.extend({ ref: refName }),
    query: z.strictObject({ expected_sha: oid.optional() }),
    async answer(request) {
      const context = await changeContext(store, request, "delete ref");
      const name = `refs/${request.params.ref}`;
      await changeRef(context, { name, next: null, expected: request.query.expected_sha, force: false });
      return { status: 200, body: { deleted: true } };
    },
  });
