// What must be in a repository because rows say so: where its refs lead and have led, and what its syncs build on.
import type { Queryable } from "./database.ts";
import type { RepositoryRow } from "./repositories.ts";

export type ExpectedObject = {
  readonly oid: string;
  /** Whose it is, in a sentence: `the ref refs/heads/main`. */
  readonly owner: string;
  readonly isTree: boolean;
  readonly isRef: boolean;
};

const SQL = `
  SELECT oid, 'the ref ' || name AS owner, false AS is_tree, true AS is_ref FROM refs WHERE repository_id = $1
  UNION ALL
  SELECT oid, 'the reflog of ' || min(ref), false, false
  FROM (SELECT ref, unnest(ARRAY[old_oid, new_oid]) AS oid FROM reflog WHERE repository_id = $1) AS moves
  WHERE oid IS NOT NULL GROUP BY oid
  UNION ALL
  SELECT o.oid, 'the sync point of ' || s.namespace || '/' || s.name, o.is_tree, false
  FROM syncs s JOIN sync_points p ON p.sync_id = s.id
  CROSS JOIN LATERAL (VALUES (p.remote_tree, true), (p.local_tree, true), (p.local_commit, false)) AS o (oid, is_tree)
  WHERE s.repository_id = $1 AND o.oid IS NOT NULL`;

/** Each object at least once, with one of those that need it. */
export async function listExpectedObjects(db: Queryable, repositoryId: string): Promise<ExpectedObject[]> {
  const { rows } = await db.query<{ oid: string; owner: string; is_tree: boolean; is_ref: boolean }>(SQL, [repositoryId]);
  return rows.map(({ oid, owner, is_tree, is_ref }) => ({ oid, owner, isTree: is_tree, isRef: is_ref }));
}

export type RepositoryName = Pick<RepositoryRow, "id" | "namespace" | "slug" | "default_branch">;

/** A page of all repositories in order of their names, after `after`. */
export async function listRepositoriesAfter(
  db: Queryable,
  after: RepositoryName | null,
  limit: number,
): Promise<RepositoryName[]> {
  const { rows } = await db.query<RepositoryName>(
    `SELECT id, namespace, slug, default_branch FROM repositories
     WHERE $1::text IS NULL OR (namespace, slug) > ($1, $2) ORDER BY namespace, slug LIMIT $3`,
    [after?.namespace ?? null, after?.slug ?? null, limit],
  );
  return rows;
}
