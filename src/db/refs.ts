// Reads rows of `refs`.
import { type Oid, parseOid } from "../domain/oid.ts";
import type { Queryable } from "./database.ts";

export async function readRef(db: Queryable, repositoryId: string, name: string): Promise<Oid | null> {
  const sql = "SELECT oid FROM refs WHERE repository_id = $1 AND name = $2";
  const { rows } = await db.query<{ oid: string }>(sql, [repositoryId, name], "read-ref");
  return rows[0] === undefined ? null : parseOid(rows[0].oid);
}

/** All refs in order of their names' bytes. */
export async function readRefs(db: Queryable, repositoryId: string): Promise<Map<string, Oid>> {
  const sql = "SELECT name, oid FROM refs WHERE repository_id = $1 ORDER BY name";
  const { rows } = await db.query<{ name: string; oid: string }>(sql, [repositoryId], "read-refs");
  return new Map(rows.map(({ name, oid }) => [name, parseOid(oid)]));
}

export type NamedRef = { readonly name: string; readonly oid: Oid };

/** Part of a list of refs: those whose names begin with `prefix`, after the name `after`. */
export type RefPage = { readonly prefix: string; readonly after: string | null; readonly limit: number };

/** Refs in order of their names' bytes. */
export async function readRefPage(db: Queryable, repositoryId: string, page: RefPage): Promise<NamedRef[]> {
  const { rows } = await db.query<{ name: string; oid: string }>(
    `SELECT name, oid FROM refs
     WHERE repository_id = $1 AND name >= $2 AND starts_with(name, $2) AND ($3::text IS NULL OR name > $3)
     ORDER BY name LIMIT $4`,
    [repositoryId, page.prefix, page.after, page.limit],
  );
  return rows.map(({ name, oid }) => ({ name, oid: parseOid(oid) }));
}

/** Those of `names` that exist. */
export async function readNamedRefs(db: Queryable, repositoryId: string, names: readonly string[]): Promise<Map<string, Oid>> {
  const sql = "SELECT name, oid FROM refs WHERE repository_id = $1 AND name = ANY($2)";
  const { rows } = await db.query<{ name: string; oid: string }>(sql, [repositoryId, names]);
  return new Map(rows.map(({ name, oid }) => [name, parseOid(oid)]));
}

/** Whether the repository has any branch. */
export async function hasBranch(db: Queryable, repositoryId: string): Promise<boolean> {
  return (await readRefPage(db, repositoryId, { prefix: "refs/heads/", after: null, limit: 1 })).length > 0;
}
