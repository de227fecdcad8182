import type { RepositoryStore } from "../../repositories/store.ts";
import { refAnswer } from "../answers/ref.ts";
import { findRepository } from "../find-repository.ts";
import { readExistingRef } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { refName, repositoryAddress } from "../schemas.ts";

export const getRef = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "getRef",
    tag: "Refs",
    summary: "A ref",
    description: "By what follows `refs/` in its name: `/refs/heads/main`.",
    method: "GET",
    path: "/refs/:ref*",
    access: "read",
    params: repositoryAddress.extend({ ref: refName.describe("What follows `refs/` in the name: `heads/main`.") }),
    answers: { 200: refAnswer },
    problems: ["RefNotFound"],
    async answer({ params }) {
      const ref = `refs/${params.ref}`;
      const sha = await readExistingRef(store.reader(await findRepository(store, params)), ref);
      return { status: 200, body: { ref, sha } };
    },
  });
