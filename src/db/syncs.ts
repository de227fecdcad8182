// The declared side of `syncs`: rows made, changed, woken and removed by declarations. What a run leaves in a row is
// sync-results.ts, who runs it is sync-leases.ts, what it shows is sync-status.ts.
import type { Owner, SyncSpec } from "../domain/sync-spec.ts";
import type { Queryable, Transaction } from "./database.ts";
import { rowsOf } from "./rows-of.ts";

/** What a declaration decides about a row. */
export type DeclaredSync = {
  readonly id: string;
  readonly owner: Owner;
  readonly namespace: string;
  readonly name: string;
  readonly repositoryId: string;
  readonly madeRepository: boolean;
  readonly connectionId: string | null;
  readonly connectionName: string | null;
  readonly spec: SyncSpec;
  readonly requestedAt: string | null;
};

type SyncRow = {
  readonly id: string;
  readonly owner_kind: Owner["kind"];
  readonly owner_ref: string;
  readonly namespace: string;
  readonly name: string;
  readonly repository_id: string;
  readonly made_repository: boolean;
  readonly connection_id: string | null;
  readonly connection_name: string | null;
  readonly spec: SyncSpec;
  readonly requested_at: string | null;
};

const COLUMNS = `s.id, s.owner_kind, s.owner_ref, s.namespace, s.name, s.repository_id, s.made_repository, s.connection_id,
  s.connection_name, s.spec, s.requested_at`;
const IS_NAMED = (name: string): string => `(s.owner_kind, s.namespace, s.name) = (${name})`;

export type SyncName = { readonly ownerKind: Owner["kind"]; readonly namespace: string; readonly name: string };

/** With where its repository is. */
export type FoundSync = DeclaredSync & { readonly repository: { readonly namespace: string; readonly slug: string } };

type FoundRow = SyncRow & {
  readonly place: number;
  readonly repository_namespace: string;
  readonly repository_slug: string;
};

const FIND = `
  SELECT found.*, wanted.place::integer AS place
  FROM ${rowsOf("$1::text[]", "$2::text[]", "$3::text[]")} WITH ORDINALITY AS wanted (owner_kind, namespace, name, place)
  CROSS JOIN LATERAL (
    SELECT ${COLUMNS}, p.namespace AS repository_namespace, p.slug AS repository_slug
    FROM syncs s JOIN repositories p ON p.id = s.repository_id
    WHERE ${IS_NAMED("wanted.owner_kind, wanted.namespace, wanted.name")} LIMIT 1
  ) AS found`;

/** Of each name, in their order; null where there is none. */
export async function findDeclaredSyncs(db: Queryable, names: readonly SyncName[]): Promise<(FoundSync | null)[]> {
  const columns = [names.map((name) => name.ownerKind), names.map((name) => name.namespace), names.map((name) => name.name)];
  const { rows } = await db.query<FoundRow>(FIND, columns, "find-declared-syncs");
  const found = new Map(rows.map((row) => [row.place, row]));
  return names.map((_, index) => {
    const row = found.get(index + 1);
    if (row === undefined) return null;
    return { ...toDeclared(row), repository: { namespace: row.repository_namespace, slug: row.repository_slug } };
  });
}

const LOCK = `SELECT ${COLUMNS} FROM syncs s WHERE ${IS_NAMED("$1, $2, $3")} FOR UPDATE`;

/** Nobody else changes it until the transaction ends. */
export async function lockDeclaredSync(tx: Transaction, { ownerKind, namespace, name }: SyncName): Promise<DeclaredSync | null> {
  const { rows } = await tx.query<SyncRow>(LOCK, [ownerKind, namespace, name], "lock-declared-sync");
  return rows[0] === undefined ? null : toDeclared(rows[0]);
}

/** Types of what `values` answers. */
const TYPES = ["text", "text", "text", "text", "text", "text", "boolean", "text", "text", "text", "boolean", "text"] as const;

const INSERT = `
  INSERT INTO syncs (id, owner_kind, owner_ref, namespace, name, repository_id, made_repository, connection_id,
    connection_name, spec, suspended, requested_at, next_run_at)
  SELECT id, owner_kind, owner_ref, namespace, name, repository_id, made_repository, connection_id, connection_name, spec::jsonb,
    suspended, requested_at, CASE WHEN suspended THEN 'infinity' ELSE now() END
  FROM ${rowsOf(...TYPES.map((type, index) => `$${index + 1}::${type}[]`))} AS new (id, owner_kind, owner_ref, namespace, name,
    repository_id, made_repository, connection_id, connection_name, spec, suspended, requested_at)
  ORDER BY owner_kind, namespace, name
  ON CONFLICT (owner_kind, namespace, name) DO NOTHING`;

/** Makes the rows, due at once unless suspended. Fewer than were given: the names of the others are taken. */
export async function insertSyncs(db: Queryable, syncs: readonly DeclaredSync[]): Promise<number> {
  const rows = syncs.map(values);
  const columns = TYPES.map((_, column) => rows.map((row) => row[column]));
  const { rowCount } = await db.query(INSERT, columns, "insert-syncs");
  return rowCount;
}

const UPDATE = `
  UPDATE syncs SET owner_ref = $3, repository_id = $6, made_repository = $7, connection_id = $8, connection_name = $9,
    spec = $10, suspended = $11, requested_at = $12, generation = generation + 1, failures = 0,
    seen_generation = NULL, seen_remote = NULL, seen_local = NULL,
    next_run_at = CASE WHEN $11 THEN 'infinity' ELSE now() END, updated_at = now()
  WHERE id = $1 AND owner_kind = $2 AND namespace = $4 AND name = $5`;

/** Takes a changed declaration over: a new generation, due at once unless suspended, nothing taken as seen. */
export async function updateSync(db: Queryable, sync: DeclaredSync): Promise<void> {
  await db.query(UPDATE, values(sync));
}

function values(sync: DeclaredSync): unknown[] {
  return [
    sync.id,
    sync.owner.kind,
    sync.owner.ref,
    sync.namespace,
    sync.name,
    sync.repositoryId,
    sync.madeRepository,
    sync.connectionId,
    sync.connectionName,
    JSON.stringify(sync.spec),
    sync.spec.suspend,
    sync.requestedAt,
  ];
}

/**
 * Records that a run was asked for and makes the sync due. After a failure nothing counts as seen: what failed for good
 * is tried again. The generation stays.
 */
export async function requestRun(db: Queryable, id: string, requestedAt: string): Promise<void> {
  await db.query(
    `UPDATE syncs SET requested_at = $2, updated_at = now(),
       next_run_at = CASE WHEN suspended THEN next_run_at ELSE now() END,
       seen_generation = CASE WHEN last_error_code IS NULL THEN seen_generation END
     WHERE id = $1`,
    [id, requestedAt],
  );
}

// What is to be removed at the provider afterwards is looked for by the number of its repository, and named as that was last.
const DELETE = `
  WITH gone AS (
    DELETE FROM syncs WHERE owner_kind = $1 AND owner_ref = $2 AND namespace = $3 AND name = $4 RETURNING id, remote_identity
  ), named AS (
    UPDATE webhooks w
    SET remote = gone.remote_identity->>'path', remote_id = COALESCE(w.remote_id, gone.remote_identity->>'id') FROM gone
    WHERE w.sync_id = gone.id
      AND (gone.remote_identity->>'declared')::jsonb = jsonb_build_array(w.provider, w.base_url, w.remote)
  )
  SELECT id FROM gone`;

/** Removes a sync with its sync points and triggers; history stays. Returns its id, or null when there was none. */
export async function deleteSync(db: Queryable, owner: Owner, namespace: string, name: string): Promise<string | null> {
  const { rows } = await db.query<{ id: string }>(DELETE, [owner.kind, owner.ref, namespace, name]);
  return rows[0]?.id ?? null;
}

/** Ties the syncs that name this connection to it. Returns the ids of those that were not tied before. */
export async function linkConnection(
  db: Queryable,
  connection: { readonly id: string; readonly ownerKind: Owner["kind"]; readonly namespace: string; readonly name: string },
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `UPDATE syncs SET connection_id = $1, updated_at = now()
     WHERE owner_kind = $2 AND namespace = $3 AND connection_name = $4 AND connection_id IS DISTINCT FROM $1 RETURNING id`,
    [connection.id, connection.ownerKind, connection.namespace, connection.name],
  );
  return rows.map((row) => row.id);
}

/** The syncs of a connection; `isFailing` keeps those whose last run failed. */
export async function listSyncsOfConnection(db: Queryable, connectionId: string, isFailing: boolean): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    "SELECT id FROM syncs WHERE connection_id = $1 AND (NOT $2 OR last_error_code IS NOT NULL)",
    [connectionId, isFailing],
  );
  return rows.map((row) => row.id);
}

/** Makes syncs due at once unless suspended. Returns the ids of those that are. */
export async function makeDue(db: Queryable, ids: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `UPDATE syncs SET next_run_at = LEAST(next_run_at, now()), seen_generation = NULL, updated_at = now()
     WHERE id = ANY($1) AND NOT suspended RETURNING id`,
    [ids],
  );
  return rows.map((row) => row.id);
}

/** Moves the generation, so that runs under way publish nothing. */
export async function moveGeneration(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query("UPDATE syncs SET generation = generation + 1, updated_at = now() WHERE id = ANY($1)", [ids]);
}

/** A declared repository names its own default branch; no sync does so any more. */
export async function disownRepository(db: Queryable, repositoryId: string): Promise<void> {
  await db.query("UPDATE syncs SET made_repository = false WHERE repository_id = $1 AND made_repository", [repositoryId]);
}

function toDeclared(row: SyncRow): DeclaredSync {
  return {
    id: row.id,
    owner: { kind: row.owner_kind, ref: row.owner_ref },
    namespace: row.namespace,
    name: row.name,
    repositoryId: row.repository_id,
    madeRepository: row.made_repository,
    connectionId: row.connection_id,
    connectionName: row.connection_name,
    spec: row.spec,
    requestedAt: row.requested_at,
  };
}
