import type { AnswerOf } from "../answers/answer-of.ts";
import type { tokenAnswer } from "../answers/token.ts";
import type { ApiToken } from "../tokens.ts";

/** A token as the API shows it: never the token itself. */
export function presentToken(token: ApiToken): AnswerOf<typeof tokenAnswer> {
  return {
    id: token.id,
    name: token.name,
    key_prefix: token.keyPrefix,
    scopes: token.scopes,
    expires_at: token.expiresAtMs === null ? null : time(token.expiresAtMs),
    last_used: token.lastUsedAtMs === null ? null : time(token.lastUsedAtMs),
    created_at: time(token.createdAtMs),
  };
}

function time(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
