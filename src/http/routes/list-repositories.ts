import { z } from "zod";
import { namedRepositories } from "../../domain/token-scopes.ts";
import type { Catalog } from "../../sync/catalog.ts";
import { repositoriesAnswer } from "../answers/repository.ts";
import { badCursor } from "../bad-cursor.ts";
import { presentRepository } from "../present/present-repository.ts";
import { defineRoute, type Route } from "../route.ts";
import { cursor, limit, namespaceFilter, repositoryAddress } from "../schemas.ts";

const query = z.strictObject({ namespace: namespaceFilter, limit, cursor });

export const listRepositories = (catalog: Catalog): Route =>
  defineRoute({
    name: "listRepositories",
    tag: "Repositories",
    summary: "Repositories that the key may read",
    description: "In order of namespace and slug.",
    method: "GET",
    path: "/repos",
    access: "any",
    query,
    answers: { 200: repositoriesAnswer },
    async answer({ query: asked, principal }) {
      const found = await catalog.listRepositories({
        namespace: asked.namespace ?? null,
        limit: asked.limit + 1,
        after: asked.cursor === undefined ? null : decodeCursor(asked.cursor),
        among: principal.kind === "master" ? null : namedRepositories(principal.scopes),
      });
      const shown = found.slice(0, asked.limit);
      const last = found.length > asked.limit ? shown.at(-1) : undefined;
      const next = last === undefined ? null : encodeCursor(last);
      return { status: 200, body: { repositories: shown.map(presentRepository), next_cursor: next } };
    },
  });

type Position = { readonly namespace: string; readonly slug: string };

function encodeCursor({ namespace, slug }: Position): string {
  return Buffer.from(`${namespace}/${slug}`).toString("base64url");
}

function decodeCursor(text: string): Position {
  const [namespace, slug, ...rest] = Buffer.from(text, "base64url").toString().split("/");
  const position = repositoryAddress.safeParse({ namespace, slug });
  if (position.success && rest.length === 0) return position.data;
  throw badCursor();
}
