import { z } from "zod";
import { CoregitError } from "../../domain/errors.ts";
import { revokedTokenAnswer } from "../answers/token.ts";
import { defineRoute, type Route } from "../route.ts";
import { rowId } from "../schemas.ts";
import type { Tokens } from "../tokens.ts";

export const revokeToken = (tokens: Tokens): Route =>
  defineRoute({
    name: "revokeToken",
    tag: "Tokens",
    summary: "Revoke a token",
    description: "From this answer on the token is refused everywhere.",
    method: "DELETE",
    path: "/tokens/:id",
    access: "master",
    params: z.object({ id: rowId }),
    answers: { 200: revokedTokenAnswer },
    problems: ["NotFound"],
    async answer({ params: { id } }) {
      if (!(await tokens.revoke(id))) throw new CoregitError("NotFound", `There is no token ${id}.`);
      return { status: 200, body: { id, revoked: true as const } };
    },
  });
