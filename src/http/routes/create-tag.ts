import { tagRef } from "../../domain/ref-name.ts";
import { changeRef } from "../../repositories/change-ref.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import { presentTag } from "../present/present-tag.ts";
import { changeContext, newRefBody, readStart } from "../ref-requests.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { repositoryAddress } from "../schemas.ts";

/** A lightweight tag, where a new branch would begin. */
export const createTag = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    method: "POST",
    path: "/tags",
    access: "write",
    params: repositoryAddress,
    body: newRefBody,
    async answer(request) {
      const name = tagRef(request.body.name);
      const context = await changeContext(store, request, "create tag");
      const reader = store.reader(context.repository);
      const oid = await readStart(reader, request.body);
      await changeRef(context, { name, next: oid, expected: null, force: false });
      return { status: 201, body: await presentTag(reader, { name, oid }) };
    },
  });
