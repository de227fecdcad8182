import type { RepositoryStore } from "../../repositories/store.ts";
import { tagAnswer } from "../answers/ref.ts";
import { findRepository } from "../find-repository.ts";
import { presentTag } from "../present/present-tag.ts";
import { readExistingRef } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { refName, repositoryAddress } from "../schemas.ts";

export const getTag = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "getTag",
    tag: "Refs",
    summary: "A tag",
    method: "GET",
    path: "/tags/:tag*",
    access: "read",
    params: repositoryAddress.extend({ tag: refName.describe("Name of the tag.") }),
    answers: { 200: tagAnswer },
    problems: ["RefNotFound"],
    async answer({ params }) {
      const reader = store.reader(await findRepository(store, params));
      const name = `refs/tags/${params.tag}`;
      return { status: 200, body: await presentTag(reader, { name, oid: await readExistingRef(reader, name) }) };
    },
  });
