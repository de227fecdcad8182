import type { RepositoryStore } from "../../repositories/store.ts";
import { findRepository } from "../find-repository.ts";
import { readExistingRef } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { refName, repositoryAddress } from "../schemas.ts";

/** A ref by what follows `refs/` in its name: `/refs/heads/main`. */
export const getRef = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    method: "GET",
    path: "/refs/:ref*",
    access: "read",
    params: repositoryAddress.extend({ ref: refName }),
    async answer({ params }) {
      const ref = `refs/${params.ref}`;
      const sha = await readExistingRef(store.reader(await findRepository(store, params)), ref);
      return { status: 200, body: { ref, sha } };
    },
  });
