import { z } from "zod";
import { tokensAnswer } from "../answers/token.ts";
import { presentToken } from "../present/present-token.ts";
import { defineRoute, type Route } from "../route.ts";
import { limit, rowId } from "../schemas.ts";
import type { Tokens } from "../tokens.ts";

export const listTokens = (tokens: Tokens): Route =>
  defineRoute({
    name: "listTokens",
    tag: "Tokens",
    summary: "Tokens, the newest first",
    description: "All that were not revoked, also expired ones.",
    method: "GET",
    path: "/tokens",
    access: "master",
    query: z.strictObject({ limit, cursor: rowId.optional() }),
    answers: { 200: tokensAnswer },
    async answer({ query }) {
      const found = await tokens.list({ limit: query.limit + 1, after: query.cursor ?? null });
      const shown = found.slice(0, query.limit);
      const last = found.length > query.limit ? shown.at(-1) : undefined;
      return { status: 200, body: { tokens: shown.map(presentToken), next_cursor: last?.id ?? null } };
    },
  });
