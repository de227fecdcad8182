// Scoped tokens: made once, shown once, known afterwards only by the SHA-256 of what was shown. Each use looks at the row, so
// that a revoked token is refused by every replica from that moment, and an unknown one takes as long as a known one.
import { randomBytes, timingSafeEqual } from "node:crypto";
import { type ApiToken, deleteApiToken, findApiToken, insertApiToken, listApiTokens, touchApiToken } from "../db/api-tokens.ts";
import type { Queryable } from "../db/database.ts";
import { newRowId } from "../db/row-id.ts";
import type { Clock } from "../domain/clock.ts";
import type { Scopes } from "../domain/token-scopes.ts";
import { sha256 } from "./sha256.ts";

export type { ApiToken };

export interface Tokens {
  /** `key` is the token itself, which cannot be had again. `lifetimeMs` null: until it is revoked. */
  create(token: {
    readonly name: string;
    readonly scopes: Scopes;
    readonly lifetimeMs: number | null;
  }): Promise<{ readonly token: ApiToken; readonly key: string }>;
  /** All that were not revoked, the newest first, after the token `after`. */
  list(page: { readonly limit: number; readonly after: string | null }): Promise<ApiToken[]>;
  /** False: there is none. */
  revoke(id: string): Promise<boolean>;
  /** The token that a key is, or null. */
  find(key: string): Promise<{ readonly id: string; readonly scopes: Scopes; readonly isExpired: boolean } | null>;
}

const SECRET_BYTES = 32;
const FORM = /^cgt_[A-Za-z0-9_-]{43}$/;
/** Enough to recognise a token by. The other 227 bits stay unknown. */
const PREFIX_LENGTH = 9;
/** `last_used_at` is written at most this often, so that a request costs no write. */
const TOUCH_INTERVAL_MS = 60_000;

export function openTokens(database: Queryable, clock: Clock): Tokens {
  return {
    async create({ name, scopes, lifetimeMs }) {
      const key = `cgt_${randomBytes(SECRET_BYTES).toString("base64url")}`;
      const nowMs = clock.now();
      const token: ApiToken = {
        id: newRowId("tok"),
        name,
        keyPrefix: key.slice(0, PREFIX_LENGTH),
        scopes,
        createdAtMs: nowMs,
        expiresAtMs: lifetimeMs === null ? null : nowMs + lifetimeMs,
        lastUsedAtMs: null,
      };
      await insertApiToken(database, token, sha256(key));
      return { token, key };
    },
    list: (page) => listApiTokens(database, page),
    revoke: (id) => deleteApiToken(database, id),
    async find(key) {
      if (!FORM.test(key)) return null;
      const hash = sha256(key);
      const found = await findApiToken(database, hash);
      if (found === null || !timingSafeEqual(found.hash, hash)) return null;
      const { token } = found;
      const nowMs = clock.now();
      const isExpired = token.expiresAtMs !== null && token.expiresAtMs <= nowMs;
      if (!isExpired && nowMs - (token.lastUsedAtMs ?? Number.NEGATIVE_INFINITY) >= TOUCH_INTERVAL_MS) {
        await touchApiToken(database, token.id, nowMs);
      }
      return { id: token.id, scopes: token.scopes, isExpired };
    },
  };
}
