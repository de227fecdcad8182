import { z } from "zod";
import { managedBy, provider, rowId, time } from "./fields.ts";

/** Never with a credential. */
export const connectionAnswer = z
  .strictObject({
    id: rowId,
    namespace: z.string(),
    name: z.string(),
    provider,
    label: z.string(),
    managed_by: managedBy,
    external_username: z.string().nullable(),
    base_url: z.string().nullable(),
    scopes: z.array(z.string()).nullable(),
    expires_at: time.nullable(),
    error: z.string().nullable(),
    error_code: z.string().nullable(),
    created_at: time,
  })
  .meta({ id: "Connection" });

export const newConnectionAnswer = z.strictObject({
  id: rowId,
  provider,
  label: z.string(),
  external_username: z.string().nullable(),
  base_url: z.string().nullable(),
  scopes: z.array(z.string()).nullable(),
  expires_at: time.nullable(),
  created_at: time,
});

export const connectionTestAnswer = z.union([
  z.strictObject({ valid: z.literal(true), username: z.string().nullable() }),
  z.strictObject({ valid: z.literal(false), error: z.string() }),
]);

export const connectionsAnswer = z.strictObject({ connections: z.array(connectionAnswer) });
