// Connections: rows of `connections`. The credential stays sealed here; credential-seal.ts opens it.
import type { ErrorCode } from "../domain/errors.ts";
import type { Owner, Provider } from "../domain/sync-spec.ts";
import type { Queryable, Transaction } from "./database.ts";

export type ConnectionRecord = {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly label: string;
  readonly provider: Provider;
  readonly baseUrl: string | null;
  readonly sealedCredential: Uint8Array | null;
  readonly caPem: string | null;
  readonly owner: Owner;
  /** Why it cannot be used, or null. */
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
};

type ConnectionRow = {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly label: string;
  readonly provider: Provider;
  readonly base_url: string | null;
  readonly credential: Uint8Array | null;
  readonly ca_pem: string | null;
  readonly owner_kind: Owner["kind"];
  readonly owner_ref: string;
  readonly error_code: ErrorCode | null;
  readonly error: string | null;
};

const COLUMNS = "id, namespace, name, label, provider, base_url, credential, ca_pem, owner_kind, owner_ref, error_code, error";

export async function readConnection(db: Queryable, id: string): Promise<ConnectionRecord | null> {
  const { rows } = await db.query<ConnectionRow>(`SELECT ${COLUMNS} FROM connections WHERE id = $1`, [id], "get-connection");
  return rows[0] === undefined ? null : toRecord(rows[0]);
}

/**
 * The same, and until the transaction ends nobody else changes it or its syncs, or declares a sync with it. What changes a connection
 * takes the locks in the order connection, syncs, webhooks; whoever comes from a sync or a webhook takes those behind it in the same
 * order. The server itself comes back from a sync to its connection: a transaction that writes a sync twice, as the end of a run
 * does, looks whether the connection is there. So what would hold that up is taken only once no sync is in such a transaction's hands.
 */
export async function lockConnection(tx: Transaction, id: string): Promise<ConnectionRecord | null> {
  await tx.query("SELECT FROM connections WHERE id = $1 FOR NO KEY UPDATE", [id]);
  await tx.query("SELECT FROM syncs WHERE connection_id = $1 ORDER BY id FOR NO KEY UPDATE", [id]);
  const { rows } = await tx.query<ConnectionRow>(`SELECT ${COLUMNS} FROM connections WHERE id = $1 FOR UPDATE`, [id]);
  return rows[0] === undefined ? null : toRecord(rows[0]);
}

/** The same, and until the transaction ends nobody removes it. */
export async function holdConnection(tx: Transaction, id: string): Promise<ConnectionRecord | null> {
  const { rows } = await tx.query<ConnectionRow>(`SELECT ${COLUMNS} FROM connections WHERE id = $1 FOR KEY SHARE`, [id]);
  return rows[0] === undefined ? null : toRecord(rows[0]);
}

/** The connection that an owner kind has declared under a name. */
export async function findConnection(
  db: Queryable,
  ownerKind: Owner["kind"],
  namespace: string,
  name: string,
): Promise<ConnectionRecord | null> {
  const { rows } = await db.query<ConnectionRow>(
    `SELECT ${COLUMNS} FROM connections WHERE owner_kind = $1 AND namespace = $2 AND name = $3`,
    [ownerKind, namespace, name],
  );
  return rows[0] === undefined ? null : toRecord(rows[0]);
}

/** What a provider said is of this credential at this server. */
const IS_SAME = `(connections.credential, connections.base_url, connections.ca_pem)
    IS NOT DISTINCT FROM (excluded.credential, excluded.base_url, excluded.ca_pem)`;
const kept = (column: string) => `${column} = CASE WHEN ${IS_SAME} THEN connections.${column} END`;

const UPSERT = `
  INSERT INTO connections (id, namespace, name, label, provider, base_url, credential, ca_pem, owner_kind, owner_ref,
    error_code, error)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  ON CONFLICT (id) DO UPDATE SET
    label = excluded.label, provider = excluded.provider, base_url = excluded.base_url, credential = excluded.credential,
    ca_pem = excluded.ca_pem, owner_ref = excluded.owner_ref, error_code = excluded.error_code, error = excluded.error,
    ${["external_username", "scopes", "expires_at", "checked_at", "check_code", "check_error"].map(kept).join(", ")},
    updated_at = now()`;

export async function writeConnection(db: Queryable, record: ConnectionRecord): Promise<void> {
  await db.query(UPSERT, [
    record.id,
    record.namespace,
    record.name,
    record.label,
    record.provider,
    record.baseUrl,
    record.sealedCredential,
    record.caPem,
    record.owner.kind,
    record.owner.ref,
    record.error?.code ?? null,
    record.error?.message ?? null,
  ]);
}

/** Seals the same credential anew, unless another one has come meanwhile. */
export async function resealConnection(db: Queryable, id: string, sealed: Uint8Array, resealed: Uint8Array): Promise<void> {
  await db.query("UPDATE connections SET credential = $3 WHERE id = $1 AND credential = $2", [id, sealed, resealed]);
}

/** Removes a connection; its syncs stay and name what is missing. Returns its id, or null when there was none. */
export async function deleteConnection(db: Queryable, owner: Owner, namespace: string, name: string): Promise<string | null> {
  const { rows } = await db.query<{ id: string }>(
    "DELETE FROM connections WHERE owner_kind = $1 AND owner_ref = $2 AND namespace = $3 AND name = $4 RETURNING id",
    [owner.kind, owner.ref, namespace, name],
  );
  return rows[0]?.id ?? null;
}

function toRecord(row: ConnectionRow): ConnectionRecord {
  return {
    id: row.id,
    namespace: row.namespace,
    name: row.name,
    label: row.label,
    provider: row.provider,
    baseUrl: row.base_url,
    sealedCredential: row.credential,
    caPem: row.ca_pem,
    owner: { kind: row.owner_kind, ref: row.owner_ref },
    error: row.error_code === null ? null : { code: row.error_code, message: row.error ?? "" },
  };
}
