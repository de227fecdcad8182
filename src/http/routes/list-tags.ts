import { z } from "zod";
import type { RepositoryStore } from "../../repositories/store.ts";
import { tagsAnswer } from "../answers/ref.ts";
import { findRepository } from "../find-repository.ts";
import { presentTag } from "../present/present-tag.ts";
import { readRefs, refPageQuery } from "../ref-page.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { repositoryAddress } from "../schemas.ts";

export const listTags = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "listTags",
    tag: "Refs",
    summary: "Tags, in order of their names",
    method: "GET",
    path: "/tags",
    access: "read",
    params: repositoryAddress,
    query: z.strictObject(refPageQuery),
    answers: { 200: tagsAnswer },
    async answer({ params, query }) {
      const reader = store.reader(await findRepository(store, params));
      const { refs, nextCursor } = await readRefs(reader, "refs/tags/", query);
      const tags = await Promise.all(refs.map((ref) => presentTag(reader, ref)));
      return { status: 200, body: { tags, next_cursor: nextCursor } };
    },
  });
