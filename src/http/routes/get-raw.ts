import { z } from "zod";
import type { RepositoryStore } from "../../repositories/store.ts";
import { findFile } from "../find-file.ts";
import { findRepository } from "../find-repository.ts";
import { pathFields, pathOf } from "../git-path.ts";
import { answerRaw } from "../raw-file.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { repositoryAddress, revision } from "../schemas.ts";

/** A file's bytes by commit and path, whole or in part. A symbolic link's are the path that it names. */
export const getRaw = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    method: "GET",
    path: "/raw",
    access: "read",
    answersHead: true,
    params: repositoryAddress,
    query: z.strictObject({ ref: revision.optional(), ...pathFields }),
    async answer({ params, query, headers, signal }) {
      const reader = store.reader(await findRepository(store, params));
      return await answerRaw(reader, await findFile(reader, query.ref, pathOf(query)), { headers, signal });
    },
  });
