import { z } from "zod";
import { RIGHTS } from "../../domain/token-scopes.ts";
import { nextCursor, rowId, time } from "./fields.ts";

const known = {
  name: z.string(),
  key_prefix: z.string().describe("Enough to recognise the token by."),
  scopes: z.record(z.string(), z.array(z.enum(RIGHTS))).describe("Rights by `repos:*`, `repos:SLUG` or `repos:NAMESPACE/SLUG`."),
  expires_at: time.nullable(),
  last_used: time.nullable().describe("Exact to the minute."),
  created_at: time,
};

export const tokenAnswer = z.strictObject({ id: rowId, ...known }).meta({ id: "Token" });
export const tokensAnswer = z.strictObject({ tokens: z.array(tokenAnswer), next_cursor: nextCursor });

export const newTokenAnswer = z.strictObject({
  id: rowId,
  token: z.string().describe("The token itself, which is never shown again."),
  ...known,
});

export const revokedTokenAnswer = z.strictObject({ id: rowId, revoked: z.literal(true) });
