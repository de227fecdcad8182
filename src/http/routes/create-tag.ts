import { tagRef } from "../../domain/ref-name.ts";
import { changeRef } from "../../repositories/change-ref.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import { tagAnswer } from "../answers/ref.ts";
import { presentTag } from "../present/present-tag.ts";
import { changeContext, newRefBody, readStart } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { repositoryAddress } from "../schemas.ts";

export const createTag = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "createTag",
    tag: "Refs",
    summary: "Create a lightweight tag",
    description: "Where a new branch would begin.",
    method: "POST",
    path: "/tags",
    access: "write",
    params: repositoryAddress,
    body: newRefBody,
    example: { name: "v1.0.0", from: "main" },
    answers: { 201: tagAnswer },
    problems: ["RefNotFound", "RefNameRefused", "RefExists", "RefMoved"],
    async answer(request) {
      const name = tagRef(request.body.name);
      const context = await changeContext(store, request, "create tag");
      const reader = store.reader(context.repository);
      const oid = await readStart(reader, request.body);
      await changeRef(context, { name, next: oid, expected: null, force: false });
      return { status: 201, body: await presentTag(reader, { name, oid }) };
    },
  });
