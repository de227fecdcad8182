// The declared side of `syncs`: rows made, changed, woken and removed by declarations. What a run leaves in a row is
// sync-results.ts, who runs it is sync-leases.ts, what it shows is sync-status.ts.
import type { Owner, SyncSpec } from "../domain/sync-spec.ts";
import type { Queryable, Transaction } from "./database.ts";

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

const FIND = `
  SELECT id, owner_kind, owner_ref, namespace, name, repository_id, made_repository, connection_id, connection_name, spec,
         requested_at
  FROM syncs WHERE owner_kind = $1 AND namespace = $2 AND name = $3`;

export async function findDeclaredSync(
  db: Queryable,
  ownerKind: Owner["kind"],
  namespace: string,
  name: string,
): Promise<DeclaredSync | null> {
  const { rows } = await db.query<SyncRow>(FIND, [ownerKind, namespace, name], "find-declared-sync");
  return rows[0] === undefined ? null : toDeclared(rows[0]);
}

/** The same, locked until the transaction ends. */
export async function lockDeclaredSync(
  tx: Transaction,
  ownerKind: Owner["kind"],
  namespace: string,
  name: string,
): Promise<DeclaredSync | null> {
  const { rows } = await tx.query<SyncRow>(`${FIND} FOR UPDATE`, [ownerKind, namespace, name], "lock-declared-sync");
  return rows[0] === undefined ? null : toDeclared(rows[0]);
}

const INSERT = `
  INSERT INTO syncs (id, owner_kind, owner_ref, namespace, name, repository_id, made_repository, connection_id,
    connection_name, spec, suspended, requested_at, next_run_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, CASE WHEN $11 THEN 'infinity' ELSE now() END)
  ON CONFLICT (owner_kind, namespace, name) DO NOTHING`;

/** Makes the row, due at once unless suspended. False: the name is taken. */
export async function insertSync(db: Queryable, sync: DeclaredSync): Promise<boolean> {
  const { rowCount } = await db.query(INSERT, values(sync), "insert-sync");
  return rowCount === 1;
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

/**
 * Nobody else changes the syncs of a connection until the transaction ends. What changes a connection takes the locks in the order
 * connection, syncs, webhooks; whoever comes from a sync or a webhook takes those behind it in the same order.
 */
export async function holdSyncsOfConnection(tx: Transaction, connectionId: string): Promise<void> {
  await tx.query("SELECT 1 FROM syncs WHERE connection_id = $1 ORDER BY id FOR NO KEY UPDATE", [connectionId]);
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
