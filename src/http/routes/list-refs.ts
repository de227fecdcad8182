import { z } from "zod";
import type { NamedRef, RepositoryStore } from "../../repositories/store.ts";
import { refsAnswer } from "../answers/ref.ts";
import { findRepository } from "../find-repository.ts";
import { readRefs, refPageQuery } from "../ref-page.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { repositoryAddress, revision } from "../schemas.ts";

const query = z.strictObject({ ...refPageQuery, prefix: revision.default("refs/").describe("What the full names begin with.") });

export const listRefs = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "listRefs",
    tag: "Refs",
    summary: "Refs, in order of their names",
    description: "All, or those that begin with `prefix`.",
    method: "GET",
    path: "/refs",
    access: "read",
    params: repositoryAddress,
    query,
    answers: { 200: refsAnswer },
    async answer({ params, query: asked }) {
      const reader = store.reader(await findRepository(store, params));
      const { refs, nextCursor } = await readRefs(reader, asked.prefix, asked);
      return { status: 200, body: { refs: refs.map(presentRef), next_cursor: nextCursor } };
    },
  });

function presentRef({ name, oid }: NamedRef) {
  return { ref: name, sha: oid };
}
