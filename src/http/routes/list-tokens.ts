import { z } from "zod";
import { presentToken } from "../present/present-token.ts";
import { defineRoute, type Route } from "../route.ts";
import { limit, rowId } from "../schemas.ts";
import type { Tokens } from "../tokens.ts";

/** All tokens that were not revoked, also expired ones, the newest first. The cursor is the last one shown. */
export const listTokens = (tokens: Tokens): Route =>
  defineRoute({
    method: "GET",
    path: "/tokens",
    access: "master",
    query: z.strictObject({ limit, cursor: rowId.optional() }),
    async answer({ query }) {
      const found = await tokens.list({ limit: query.limit + 1, after: query.cursor ?? null });
      const shown = found.slice(0, query.limit);
      const last = found.length > query.limit ? shown.at(-1) : undefined;
      return { status: 200, body: { tokens: shown.map(presentToken), next_cursor: last?.id ?? null } };
    },
  });
