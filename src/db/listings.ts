// What lists show of repositories and connections: columns that may be shown to whoever holds a key. Never a credential.
import type { Owner, Provider } from "../domain/sync-spec.ts";
import type { RepositoryName } from "../domain/token-scopes.ts";
import type { Queryable } from "./database.ts";

export type RepositoryListing = {
  readonly id: string;
  readonly namespace: string;
  readonly slug: string;
  readonly description: string;
  readonly visibility: "private" | "public";
  readonly defaultBranch: string;
  readonly protectedBranches: readonly string[];
  readonly owner: Owner;
  /** Head of the default branch, or null while there is none. */
  readonly headSha: string | null;
  /** Stored bytes of its packs that are in use. */
  readonly sizeBytes: number;
  /** ISO 8601 in UTC. */
  readonly createdAt: string;
};

export type ConnectionListing = {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly label: string;
  readonly provider: Provider;
  readonly baseUrl: string | null;
  readonly owner: Owner;
  readonly error: string | null;
  readonly errorCode: string | null;
  readonly externalUsername: string | null;
  readonly scopes: readonly string[] | null;
  readonly expiresAt: string | null;
  readonly createdAt: string;
};

type RepositoryRow = {
  readonly id: string;
  readonly namespace: string;
  readonly slug: string;
  readonly description: string;
  readonly visibility: RepositoryListing["visibility"];
  readonly default_branch: string;
  readonly protected_branches: readonly string[];
  readonly owner_kind: Owner["kind"];
  readonly owner_ref: string;
  readonly head_sha: string | null;
  readonly size_bytes: string;
  readonly created_at: Date;
};

const REPOSITORIES = `
  SELECT r.id, r.namespace, r.slug, r.description, r.visibility, r.default_branch, r.protected_branches,
    r.owner_kind, r.owner_ref, r.created_at,
    (SELECT oid FROM refs WHERE repository_id = r.id AND name = 'refs/heads/' || r.default_branch) AS head_sha,
    (SELECT COALESCE(sum(pack_size + idx_size), 0) FROM packs WHERE repository_id = r.id AND retired_at IS NULL) AS size_bytes
  FROM repositories r`;

/** Repositories in order of namespace and slug, after `after`. */
export async function listRepositoryRows(
  db: Queryable,
  page: {
    readonly namespace: string | null;
    readonly limit: number;
    readonly after: RepositoryName | null;
    /** Only these, and public ones; null: all. */
    readonly among: readonly RepositoryName[] | null;
  },
): Promise<RepositoryListing[]> {
  const { rows } = await db.query<RepositoryRow>(
    `${REPOSITORIES}
     WHERE ($1::text IS NULL OR r.namespace = $1) AND ($2::text IS NULL OR (r.namespace, r.slug) > ($2, $3))
       AND ($4::text[] IS NULL OR r.visibility = 'public' OR r.namespace || '/' || r.slug = ANY($4))
     ORDER BY r.namespace, r.slug LIMIT $5`,
    [
      page.namespace,
      page.after?.namespace ?? null,
      page.after?.slug ?? null,
      page.among?.map(({ namespace, slug }) => `${namespace}/${slug}`) ?? null,
      page.limit,
    ],
  );
  return rows.map(toRepository);
}

export async function readRepositoryRow(db: Queryable, namespace: string, slug: string): Promise<RepositoryListing | null> {
  const { rows } = await db.query<RepositoryRow>(`${REPOSITORIES} WHERE r.namespace = $1 AND r.slug = $2`, [namespace, slug]);
  return rows[0] === undefined ? null : toRepository(rows[0]);
}

type ConnectionRow = {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly label: string;
  readonly provider: Provider;
  readonly base_url: string | null;
  readonly owner_kind: Owner["kind"];
  readonly owner_ref: string;
  readonly error: string | null;
  readonly error_code: string | null;
  readonly external_username: string | null;
  readonly scopes: readonly string[] | null;
  readonly expires_at: Date | null;
  readonly created_at: Date;
};

const CONNECTIONS = `
  SELECT id, namespace, name, label, provider, base_url, owner_kind, owner_ref, COALESCE(error, check_error) AS error,
    COALESCE(error_code, check_code) AS error_code, external_username, scopes, expires_at, created_at
  FROM connections`;

/** All connections of a namespace, or of all, in order of namespace and name. */
export async function listConnectionRows(db: Queryable, namespace: string | null): Promise<ConnectionListing[]> {
  const where = "WHERE ($1::text IS NULL OR namespace = $1) ORDER BY namespace, name, id";
  const { rows } = await db.query<ConnectionRow>(`${CONNECTIONS} ${where}`, [namespace]);
  return rows.map(toConnection);
}

export async function readConnectionRow(db: Queryable, id: string): Promise<ConnectionListing | null> {
  const { rows } = await db.query<ConnectionRow>(`${CONNECTIONS} WHERE id = $1`, [id]);
  return rows[0] === undefined ? null : toConnection(rows[0]);
}

function toRepository(row: RepositoryRow): RepositoryListing {
  return {
    id: row.id,
    namespace: row.namespace,
    slug: row.slug,
    description: row.description,
    visibility: row.visibility,
    defaultBranch: row.default_branch,
    protectedBranches: row.protected_branches,
    owner: { kind: row.owner_kind, ref: row.owner_ref },
    headSha: row.head_sha,
    sizeBytes: Number(row.size_bytes),
    createdAt: row.created_at.toISOString(),
  };
}

function toConnection(row: ConnectionRow): ConnectionListing {
  return {
    id: row.id,
    namespace: row.namespace,
    name: row.name,
    label: row.label,
    provider: row.provider,
    baseUrl: row.base_url,
    owner: { kind: row.owner_kind, ref: row.owner_ref },
    error: row.error,
    errorCode: row.error_code,
    externalUsername: row.external_username,
    scopes: row.scopes,
    expiresAt: row.expires_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  };
}
