import type { ApiToken } from "../tokens.ts";

/** A token as the API shows it: never the token itself. */
export function presentToken(token: ApiToken) {
  return {
    id: token.id,
    name: token.name,
    key_prefix: token.keyPrefix,
    scopes: token.scopes,
    expires_at: time(token.expiresAtMs),
    last_used: time(token.lastUsedAtMs),
    created_at: time(token.createdAtMs),
  };
}

function time(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}
