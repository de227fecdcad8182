import { z } from "zod";
import { changeRef } from "../../repositories/change-ref.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import { movedRefAnswer } from "../answers/ref.ts";
import { changeContext } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { oid, refName, repositoryAddress } from "../schemas.ts";

const body = z.strictObject({ sha: oid, expected_sha: oid.nullable().optional(), force: z.boolean().default(false) });

export const updateRef = (store: RepositoryStore, method: "PUT" | "PATCH"): Route =>
  defineRepositoryRoute({
    name: method === "PUT" ? "putRef" : "patchRef",
    tag: "Refs",
    summary: "Point a ref elsewhere, or make it",
    description:
      "With `expected_sha` only if that is what it is at now, null: if it is not there. Without `force` only forward: to a commit that has the present one among its ancestors.",
    method,
    path: "/refs/:ref*",
    access: "write",
    params: repositoryAddress.extend({ ref: refName.describe("What follows `refs/` in the name: `heads/main`.") }),
    body,
    example: { sha: "7f3b21c0a9d1e4b5c6f70819aabbccddeeff0011", expected_sha: null },
    answers: { 200: movedRefAnswer, 201: movedRefAnswer },
    problems: ["RefNotFound", "RefNameRefused", "RefMoved", "RefExists", "NotFastForward", "BranchProtected", "Timeout"],
    async answer(request) {
      const ref = `refs/${request.params.ref}`;
      const { sha, expected_sha: expected, force } = request.body;
      const context = await changeContext(store, request, force ? "force ref" : "update ref");
      const { previous } = await changeRef(context, { name: ref, next: sha, expected, force });
      return { status: previous === null ? 201 : 200, body: { ref, sha, previous_sha: previous } };
    },
  });
