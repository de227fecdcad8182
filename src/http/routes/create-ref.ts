import { z } from "zod";
import { changeRef } from "../../repositories/change-ref.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import { changeContext } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { oid, refName, repositoryAddress } from "../schemas.ts";

/** `ref` is the full name, `refs/heads/main`. */
export const createRef = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    method: "POST",
    path: "/refs",
    access: "write",
    params: repositoryAddress,
    body: z.strictObject({ ref: refName, sha: oid }),
    async answer(request) {
      const { ref, sha } = request.body;
      const context = await changeContext(store, request, "create ref");
      await changeRef(context, { name: ref, next: sha, expected: null, force: false });
      return { status: 201, body: { ref, sha } };
    },
  });
