import { z } from "zod";
import { changeRef } from "../../repositories/change-ref.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import { refAnswer } from "../answers/ref.ts";
import { changeContext } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { oid, refName, repositoryAddress } from "../schemas.ts";

export const createRef = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "createRef",
    tag: "Refs",
    summary: "Create a ref",
    description: "`ref` is the full name, `refs/heads/main`.",
    method: "POST",
    path: "/refs",
    access: "write",
    params: repositoryAddress,
    body: z.strictObject({ ref: refName, sha: oid }),
    example: { ref: "refs/heads/topic", sha: "7f3b21c0a9d1e4b5c6f70819aabbccddeeff0011" },
    answers: { 201: refAnswer },
    problems: ["RefNotFound", "RefNameRefused", "RefExists", "RefMoved"],
    async answer(request) {
      const { ref, sha } = request.body;
      const context = await changeContext(store, request, "create ref");
      await changeRef(context, { name: ref, next: sha, expected: null, force: false });
      return { status: 201, body: { ref, sha } };
    },
  });
