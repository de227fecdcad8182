// Repositories as something declared: who owns the row. What is in a repository is the git store's business.
import type { Owner } from "../domain/sync-spec.ts";
import type { Queryable, Transaction } from "./database.ts";
import { newRowId } from "./row-id.ts";

export type DeclaredRepository = {
  readonly id: string;
  readonly owner: Owner;
  readonly defaultBranch: string;
  readonly protectedBranches: readonly string[];
  readonly description: string;
  readonly visibility: "private" | "public";
  readonly deletionPolicy: "Retain" | "Delete";
};

type RepositoryRow = {
  readonly id: string;
  readonly owner_kind: Owner["kind"];
  readonly owner_ref: string;
  readonly default_branch: string;
  readonly protected_branches: readonly string[];
  readonly description: string;
  readonly visibility: "private" | "public";
  readonly deletion_policy: "Retain" | "Delete";
};

const SELECT = `
  SELECT id, owner_kind, owner_ref, default_branch, protected_branches, description, visibility, deletion_policy
  FROM repositories WHERE namespace = $1 AND slug = $2`;

export async function findDeclaredRepository(db: Queryable, namespace: string, slug: string): Promise<DeclaredRepository | null> {
  return toRepository((await db.query<RepositoryRow>(SELECT, [namespace, slug])).rows[0]);
}

/** The same, and until the transaction ends nobody publishes to it, declares a sync into it or removes it. */
export async function lockRepository(tx: Transaction, namespace: string, slug: string): Promise<DeclaredRepository | null> {
  return toRepository((await tx.query<RepositoryRow>(`${SELECT} FOR UPDATE`, [namespace, slug])).rows[0]);
}

function toRepository(row: RepositoryRow | undefined): DeclaredRepository | null {
  if (row === undefined) return null;
  return {
    id: row.id,
    owner: { kind: row.owner_kind, ref: row.owner_ref },
    defaultBranch: row.default_branch,
    protectedBranches: row.protected_branches,
    description: row.description,
    visibility: row.visibility,
    deletionPolicy: row.deletion_policy,
  };
}

/** Makes an empty repository that the API owns. False in `isNew`: it was there. */
export async function makeRepository(
  db: Queryable,
  namespace: string,
  slug: string,
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const { rows } = await db.query<{ id: string }>(
    `INSERT INTO repositories (id, namespace, slug) VALUES ($1, $2, $3)
     ON CONFLICT (namespace, slug) DO NOTHING RETURNING id`,
    [newRowId("repo"), namespace, slug],
  );
  if (rows[0] !== undefined) return { id: rows[0].id, isNew: true };
  const found = await db.query<{ id: string }>("SELECT id FROM repositories WHERE namespace = $1 AND slug = $2", [
    namespace,
    slug,
  ]);
  const [row] = found.rows;
  // Between the two statements the repository can only have been removed; then making it is right.
  return row === undefined ? makeRepository(db, namespace, slug) : { id: row.id, isNew: false };
}

export async function updateDeclaredRepository(db: Queryable, repository: DeclaredRepository): Promise<void> {
  await db.query(
    `UPDATE repositories SET owner_kind = $2, owner_ref = $3, default_branch = $4, description = $5, visibility = $6,
       deletion_policy = $7, protected_branches = $8, updated_at = now() WHERE id = $1`,
    [
      repository.id,
      repository.owner.kind,
      repository.owner.ref,
      repository.defaultBranch,
      repository.description,
      repository.visibility,
      repository.deletionPolicy,
      repository.protectedBranches,
    ],
  );
}

/** Names the default branch of a repository that a sync made. */
export async function setDefaultBranch(db: Queryable, repositoryId: string, branch: string): Promise<void> {
  await db.query("UPDATE repositories SET default_branch = $2, updated_at = now() WHERE id = $1 AND default_branch <> $2", [
    repositoryId,
    branch,
  ]);
}
