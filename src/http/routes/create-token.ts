import { z } from "zod";
import { checkScope, RIGHTS } from "../../domain/token-scopes.ts";
import { newTokenAnswer } from "../answers/token.ts";
import { presentToken } from "../present/present-token.ts";
import { defineRoute, type Route } from "../route.ts";
import { plainText } from "../schemas.ts";
import type { Tokens } from "../tokens.ts";

const MAX_SCOPES = 100;
/** Ten years: long enough for anybody who does not mean for ever, which is to leave it out. */
const MAX_LIFETIME_SECONDS = 10 * 365 * 86_400;

const scopes = z
  .record(
    z.string().refine((name) => checkScope(name) === null, "must be repos:*, repos:SLUG or repos:NAMESPACE/SLUG"),
    z.array(z.enum(RIGHTS)).min(1).max(RIGHTS.length),
  )
  .refine((record) => Object.keys(record).length > 0, "must name at least one repository, or repos:*")
  .refine((record) => Object.keys(record).length <= MAX_SCOPES, `must have at most ${MAX_SCOPES} entries`);

const body = z.strictObject({
  name: plainText.min(1).max(100),
  scopes,
  expires_in: z.int().min(1).max(MAX_LIFETIME_SECONDS).optional(),
});

export const createToken = (tokens: Tokens): Route =>
  defineRoute({
    name: "createToken",
    tag: "Tokens",
    summary: "Create a token",
    description:
      "The answer is the only one that has the token itself. `expires_in` is in seconds; without it the token is good until revoked.",
    method: "POST",
    path: "/tokens",
    access: "master",
    body,
    example: { name: "build server", scopes: { "repos:site": ["read", "write"] }, expires_in: 86_400 },
    answers: { 201: newTokenAnswer },
    async answer({ body: asked }) {
      const lifetimeMs = asked.expires_in === undefined ? null : asked.expires_in * 1000;
      const { token, key } = await tokens.create({ name: asked.name, scopes: asked.scopes, lifetimeMs });
      const { id, ...rest } = presentToken(token);
      return { status: 201, body: { id, token: key, ...rest } };
    },
  });
