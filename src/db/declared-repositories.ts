// Repositories as something declared: who owns the row. What is in a repository is the git store's business.
import type { Owner } from "../domain/sync-spec.ts";
import type { Queryable, Transaction } from "./database.ts";
import { newRowId } from "./row-id.ts";
import { rowsOf } from "./rows-of.ts";

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

type RepositoryName = { readonly namespace: string; readonly slug: string };
type NameRow = RepositoryName & { readonly id: string };

export type MadeRepository = { readonly id: string; readonly isNew: boolean };

/** Makes an empty repository that the API owns. False in `isNew`: it was there. */
export async function makeRepository(db: Queryable, namespace: string, slug: string): Promise<MadeRepository> {
  const [made] = await makeRepositories(db, [{ namespace, slug }]);
  // There is one for each name.
  return made as MadeRepository;
}

const MAKE = `
  INSERT INTO repositories (id, namespace, slug)
  SELECT id, namespace, slug FROM ${rowsOf("$1::text[]", "$2::text[]", "$3::text[]")} AS new (id, namespace, slug)
  ORDER BY namespace, slug
  ON CONFLICT (namespace, slug) DO NOTHING RETURNING id, namespace, slug`;

const FIND = `
  SELECT found.* FROM ${rowsOf("$1::text[]", "$2::text[]")} AS wanted (namespace, slug)
  CROSS JOIN LATERAL (
    SELECT id, namespace, slug FROM repositories p WHERE (p.namespace, p.slug) = (wanted.namespace, wanted.slug) LIMIT 1
  ) AS found`;

/** The same of each name, in their order; of equal names only the first is new. */
export async function makeRepositories(db: Queryable, names: readonly RepositoryName[]): Promise<MadeRepository[]> {
  const ids = new Map<string, string>();
  const fresh = new Set<string>();
  const missing = (): RepositoryName[] => names.filter((name) => !ids.has(nameKey(name)));
  // One that is there for the first statement and not for the second can only have been removed; then making it is right.
  while (missing().length > 0) {
    const { rows: made } = await db.query<NameRow>(
      MAKE,
      [missing().map(() => newRowId("repo")), ...columns(missing())],
      "make-repositories",
    );
    for (const row of made) fresh.add(nameKey(row));
    for (const row of made) ids.set(nameKey(row), row.id);
    if (missing().length === 0) break;
    const { rows: found } = await db.query<NameRow>(FIND, columns(missing()), "find-repositories");
    for (const row of found) ids.set(nameKey(row), row.id);
  }
  return names.map((name) => ({ id: ids.get(nameKey(name)) ?? "", isNew: fresh.delete(nameKey(name)) }));
}

function columns(names: readonly RepositoryName[]): readonly string[][] {
  return [names.map(({ namespace }) => namespace), names.map(({ slug }) => slug)];
}

function nameKey({ namespace, slug }: RepositoryName): string {
  return `${namespace}/${slug}`;
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
