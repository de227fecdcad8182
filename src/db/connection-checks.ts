// What providers say about credentials: the columns of `connections` that a check writes. A declaration that changes what is checked
// clears them (connections.ts).
import type { ErrorCode } from "../domain/errors.ts";
import type { Provider } from "../domain/sync-spec.ts";
import type { Queryable } from "./database.ts";

export type AccountRecord = {
  readonly externalUsername: string | null;
  readonly scopes: readonly string[] | null;
  /** ISO 8601. */
  readonly expiresAt: string | null;
};

export type CheckFailure = { readonly code: ErrorCode; readonly message: string };

/** A connection that is to be checked, with what is known so far. */
export type UncheckedConnection = {
  readonly id: string;
  readonly provider: Provider;
  readonly baseUrl: string | null;
  readonly caPem: string | null;
  readonly sealedCredential: Uint8Array;
  readonly account: AccountRecord;
  readonly failure: CheckFailure | null;
};

type Row = {
  readonly id: string;
  readonly provider: Provider;
  readonly base_url: string | null;
  readonly ca_pem: string | null;
  readonly credential: Uint8Array;
  readonly external_username: string | null;
  readonly scopes: readonly string[] | null;
  readonly expires_at: Date | null;
  readonly check_code: ErrorCode | null;
  readonly check_error: string | null;
};

const CLAIM = `
  UPDATE connections SET checked_at = now()
  WHERE id IN (
    SELECT id FROM connections
    WHERE credential IS NOT NULL AND error_code IS NULL
      AND (checked_at IS NULL OR checked_at < now() - make_interval(secs => $1::float8 / 1000))
    ORDER BY checked_at NULLS FIRST, id LIMIT $2
    FOR UPDATE SKIP LOCKED)
  RETURNING id, provider, base_url, ca_pem, credential, external_username, scopes, expires_at, check_code, check_error`;

/** Takes connections whose last check is this long ago, each for one caller alone. */
export async function claimChecks(db: Queryable, ageMs: number, limit: number): Promise<UncheckedConnection[]> {
  const { rows } = await db.query<Row>(CLAIM, [ageMs, limit]);
  return rows.map((row) => ({
    id: row.id,
    provider: row.provider,
    baseUrl: row.base_url,
    caPem: row.ca_pem,
    sealedCredential: row.credential,
    account: {
      externalUsername: row.external_username,
      scopes: row.scopes,
      expiresAt: row.expires_at?.toISOString() ?? null,
    },
    failure: row.check_code === null ? null : { code: row.check_code, message: row.check_error ?? "" },
  }));
}

/** What the provider said about the credential that is sealed as `sealed`; another one has come meanwhile: nothing. */
export async function writeAccount(
  db: Queryable,
  id: string,
  sealed: Uint8Array | null,
  { externalUsername, scopes, expiresAt }: AccountRecord,
): Promise<void> {
  await db.query(
    `UPDATE connections SET external_username = $3, scopes = $4, expires_at = $5, checked_at = now(), check_code = NULL, check_error = NULL
     WHERE id = $1 AND credential IS NOT DISTINCT FROM $2`,
    [id, sealed, externalUsername, scopes, expiresAt],
  );
}

/** The provider does not let in with the credential. Who it was stays. As `writeAccount`. */
export async function writeCheckFailure(
  db: Queryable,
  id: string,
  sealed: Uint8Array | null,
  { code, message }: CheckFailure,
): Promise<void> {
  await db.query(
    "UPDATE connections SET checked_at = now(), check_code = $3, check_error = $4 WHERE id = $1 AND credential IS NOT DISTINCT FROM $2",
    [id, sealed, code, message],
  );
}

/** Makes a check that could not be made due again when `ageMs` from now have passed for one that is due at `dueAgeMs`. */
export async function repeatCheck(db: Queryable, id: string, inMs: number, dueAgeMs: number): Promise<void> {
  await db.query("UPDATE connections SET checked_at = now() - make_interval(secs => $2::float8 / 1000) WHERE id = $1", [
    id,
    dueAgeMs - inMs,
  ]);
}
