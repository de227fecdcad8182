import { z } from "zod";
import { CoregitError } from "../../domain/errors.ts";
import { defineRoute, type Route } from "../route.ts";
import { rowId } from "../schemas.ts";
import type { Tokens } from "../tokens.ts";

/** From this answer on the token is refused everywhere. */
export const revokeToken = (tokens: Tokens): Route =>
  defineRoute({
    method: "DELETE",
    path: "/tokens/:id",
    access: "master",
    params: z.object({ id: rowId }),
    async answer({ params: { id } }) {
      if (!(await tokens.revoke(id))) throw new CoregitError("NotFound", `There is no token ${id}.`);
      return { status: 200, body: { id, revoked: true } };
    },
  });
