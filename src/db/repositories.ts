// Repositories as places of refs and objects: rows of `repositories` as the git store needs them.
import type { Queryable, Transaction } from "./database.ts";
import { notify } from "./notify.ts";

export type RepositoryRow = {
  readonly id: string;
  readonly namespace: string;
  readonly slug: string;
  readonly description: string;
  readonly visibility: "private" | "public";
  readonly default_branch: string;
  readonly protected_branches: readonly string[];
};

/** What a local view is compared with. `version` moves with every publish. */
export type RepositoryState = { readonly version: bigint; readonly defaultBranch: string };

/** What may not happen to which branches. */
export type BranchRules = { readonly defaultBranch: string; readonly protectedBranches: readonly string[] };

const COLUMNS = "id, namespace, slug, description, visibility, default_branch, protected_branches";

export async function findRepository(db: Queryable, namespace: string, slug: string): Promise<RepositoryRow | null> {
  const sql = `SELECT ${COLUMNS} FROM repositories WHERE namespace = $1 AND slug = $2`;
  return (await db.query<RepositoryRow>(sql, [namespace, slug], "find-repository")).rows[0] ?? null;
}

export type NewRepositoryRow = Pick<RepositoryRow, "id" | "namespace" | "slug" | "description" | "visibility"> & BranchRules;

/** Makes a repository that the API owns. False: there is one of this name. */
export async function insertRepository(tx: Transaction, row: NewRepositoryRow): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO repositories (id, namespace, slug, description, visibility, default_branch, protected_branches)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (namespace, slug) DO NOTHING`,
    [row.id, row.namespace, row.slug, row.description, row.visibility, row.defaultBranch, row.protectedBranches],
  );
  return rowCount === 1;
}

export async function getRepository(db: Queryable, id: string): Promise<RepositoryRow | null> {
  return (
    (await db.query<RepositoryRow>(`SELECT ${COLUMNS} FROM repositories WHERE id = $1`, [id], "get-repository")).rows[0] ?? null
  );
}

export async function readRepositoryState(db: Queryable, id: string): Promise<RepositoryState | null> {
  const sql = "SELECT version::text AS version, default_branch FROM repositories WHERE id = $1";
  const { rows } = await db.query<{ version: string; default_branch: string }>(sql, [id], "repository-state");
  const [row] = rows;
  return row === undefined ? null : { version: BigInt(row.version), defaultBranch: row.default_branch };
}

/** The rules as they are in this transaction; null: there is no such repository. */
export async function readBranchRules(tx: Transaction, id: string): Promise<BranchRules | null> {
  const sql = "SELECT default_branch, protected_branches FROM repositories WHERE id = $1";
  const { rows } = await tx.query<Pick<RepositoryRow, "default_branch" | "protected_branches">>(sql, [id]);
  const [row] = rows;
  return row === undefined ? null : { defaultBranch: row.default_branch, protectedBranches: row.protected_branches };
}

/** Starts a publish: one at a time per repository, until the transaction ends. False: there is no such repository. */
export async function advanceVersion(tx: Transaction, id: string): Promise<boolean> {
  const { rowCount } = await tx.query("UPDATE repositories SET version = version + 1, updated_at = now() WHERE id = $1", [id]);
  return rowCount === 1;
}

/** Lets nobody delete the repository until the transaction ends; others publish to it meanwhile. False: it is not there. */
export async function keepRepository(tx: Transaction, id: string): Promise<boolean> {
  return (await tx.query("SELECT FROM repositories WHERE id = $1 FOR KEY SHARE", [id])).rowCount === 1;
}

/** Lets nobody else publish to the repository until the transaction ends; those who wait come in their order. */
export async function lockForPublishing(tx: Transaction, id: string): Promise<void> {
  await tx.query("SELECT FROM repositories WHERE id = $1 FOR NO KEY UPDATE", [id]);
}

/** One writer at a time of any local view of this repository, until the transaction ends. */
export async function lockViews(tx: Transaction, id: string): Promise<void> {
  await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('coregit.view.' || $1::text, 0))", [id]);
}

/** Removes the row and with it refs, reflog, packs, syncs and history. */
export async function deleteRepository(db: Queryable, id: string): Promise<void> {
  const { rows } = await db.query<{ id: string }>("SELECT id FROM syncs WHERE repository_id = $1", [id]);
  const syncIds = rows.map((row) => row.id);
  await notify(db, "webhookDue", syncIds);
  await db.query("DELETE FROM repositories WHERE id = $1", [id]);
}
