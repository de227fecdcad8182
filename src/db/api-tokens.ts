// Rows of `api_tokens`. A key is here by its SHA-256 only.
import type { Scopes } from "../domain/token-scopes.ts";
import type { Queryable } from "./database.ts";

export type ApiToken = {
  readonly id: string;
  readonly name: string;
  /** The first characters of the key. */
  readonly keyPrefix: string;
  readonly scopes: Scopes;
  readonly createdAtMs: number;
  /** Null: until it is revoked. */
  readonly expiresAtMs: number | null;
  /** To the minute. */
  readonly lastUsedAtMs: number | null;
};

type TokenRow = {
  readonly id: string;
  readonly name: string;
  readonly key_prefix: string;
  readonly key_sha256: Uint8Array;
  readonly scopes: Scopes;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly last_used_at: Date | null;
};

const COLUMNS = "id, name, key_prefix, key_sha256, scopes, created_at, expires_at, last_used_at";

export async function insertApiToken(db: Queryable, token: ApiToken, hash: Uint8Array): Promise<void> {
  await db.query(
    `INSERT INTO api_tokens (id, name, key_prefix, key_sha256, scopes, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      token.id,
      token.name,
      token.keyPrefix,
      hash,
      JSON.stringify(token.scopes),
      new Date(token.createdAtMs),
      token.expiresAtMs === null ? null : new Date(token.expiresAtMs),
    ],
  );
}

export async function findApiToken(
  db: Queryable,
  hash: Uint8Array,
): Promise<{ readonly token: ApiToken; readonly hash: Uint8Array } | null> {
  const { rows } = await db.query<TokenRow>(`SELECT ${COLUMNS} FROM api_tokens WHERE key_sha256 = $1`, [hash]);
  return rows[0] === undefined ? null : { token: toToken(rows[0]), hash: rows[0].key_sha256 };
}

/** The newest first, after the token `after`; none when that is gone. */
export async function listApiTokens(
  db: Queryable,
  page: { readonly limit: number; readonly after: string | null },
): Promise<ApiToken[]> {
  const { rows } = await db.query<TokenRow>(
    `SELECT ${COLUMNS} FROM api_tokens
     WHERE $1::text IS NULL OR (created_at, id) < (SELECT created_at, id FROM api_tokens WHERE id = $1)
     ORDER BY created_at DESC, id DESC LIMIT $2`,
    [page.after, page.limit],
  );
  return rows.map(toToken);
}

/** Notes the use, unless another process has just done so. */
export async function touchApiToken(db: Queryable, id: string, nowMs: number): Promise<void> {
  await db.query("UPDATE api_tokens SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)", [
    id,
    new Date(nowMs),
  ]);
}

/** False: there is no such token. */
export async function deleteApiToken(db: Queryable, id: string): Promise<boolean> {
  return (await db.query("DELETE FROM api_tokens WHERE id = $1", [id])).rowCount === 1;
}

function toToken(row: TokenRow): ApiToken {
  return {
    id: row.id,
    name: row.name,
    keyPrefix: row.key_prefix,
    scopes: row.scopes,
    createdAtMs: row.created_at.getTime(),
    expiresAtMs: row.expires_at?.getTime() ?? null,
    lastUsedAtMs: row.last_used_at?.getTime() ?? null,
  };
}
