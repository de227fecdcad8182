import { z } from "zod";
import type { RepositoryStore } from "../../repositories/store.ts";
import { findFile } from "../find-file.ts";
import { findRepository } from "../find-repository.ts";
import { pathFields, pathOf } from "../git-path.ts";
import { answerRaw, RAW_ANSWERS } from "../raw-file.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { repositoryAddress, revision } from "../schemas.ts";

export const getRaw = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "getRaw",
    tag: "Reading",
    summary: "A file's bytes",
    description: "Whole or in part, of any size. A symbolic link's are the path that it names.",
    method: "GET",
    path: "/raw",
    access: "read",
    answersHead: true,
    params: repositoryAddress,
    query: z.strictObject({ ref: revision.optional(), ...pathFields }),
    answers: RAW_ANSWERS,
    problems: ["RefNotFound", "PathNotFound", "RangeNotSatisfiable"],
    async answer({ params, query, headers, signal }) {
      const reader = store.reader(await findRepository(store, params));
      return await answerRaw(reader, await findFile(reader, query.ref, pathOf(query)), { headers, signal });
    },
  });
