import { z } from "zod";
import { changeRef } from "../../repositories/change-ref.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import { changeContext } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { oid, refName, repositoryAddress } from "../schemas.ts";

const body = z.strictObject({ sha: oid, expected_sha: oid.nullable().optional(), force: z.boolean().default(false) });

/**
 * Points a ref elsewhere, or makes it. With `expected_sha` only if that is what it is at now, null: if it is not there. Without
 * `force` only forward: to a commit that has the present one among its ancestors.
 */
export const updateRef = (store: RepositoryStore, method: "PUT" | "PATCH"): Route =>
  defineRepositoryRoute({
    method,
    path: "/refs/:ref*",
    access: "write",
    params: repositoryAddress.extend({ ref: refName }),
    body,
    async answer(request) {
      const ref = `refs/${request.params.ref}`;
      const { sha, expected_sha: expected, force } = request.body;
      const context = await changeContext(store, request, force ? "force ref" : "update ref");
      const { previous } = await changeRef(context, { name: ref, next: sha, expected, force });
      return { status: previous === null ? 201 : 200, body: { ref, sha, previous_sha: previous } };
    },
  });
