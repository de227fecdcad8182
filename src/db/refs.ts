// Rows of `refs` and `reflog`. A ref moves only from what it was expected to be.
import { type Oid, parseOid } from "../domain/oid.ts";
import type { Queryable, Transaction } from "./database.ts";

export async function readRef(db: Queryable, repositoryId: string, name: string): Promise<Oid | null> {
  const sql = "SELECT oid FROM refs WHERE repository_id = $1 AND name = $2";
  const { rows } = await db.query<{ oid: string }>(sql, [repositoryId, name], "read-ref");
  return rows[0] === undefined ? null : parseOid(rows[0].oid);
}

/** All refs in order of their names' bytes. */
export async function readRefs(db: Queryable, repositoryId: string): Promise<Map<string, Oid>> {
  const sql = "SELECT name, oid FROM refs WHERE repository_id = $1 ORDER BY name";
  const { rows } = await db.query<{ name: string; oid: string }>(sql, [repositoryId]);
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

/** A ref that git could not keep beside `name`: one of its folders, or one inside it. */
export async function findConflictingRef(db: Queryable, repositoryId: string, name: string): Promise<string | null> {
  const components = name.split("/");
  const folders = components.slice(1).map((_, index) => components.slice(0, index + 1).join("/"));
  // "0" is the character after "/", so this is the range of names that begin with `name/`.
  const sql = `SELECT name FROM refs
    WHERE repository_id = $1 AND (name = ANY($2) OR (name > $3 || '/' AND name < $3 || '0')) LIMIT 1`;
  const { rows } = await db.query<{ name: string }>(sql, [repositoryId, folders, name]);
  return rows[0]?.name ?? null;
}

export type RefMove = { readonly name: string; readonly expected: Oid | null; readonly next: Oid | null };

/** Moves, makes or deletes a ref if it is what is expected. False: it is not, and nothing was written. */
export async function moveRef(tx: Transaction, repositoryId: string, { name, expected, next }: RefMove): Promise<boolean> {
  if (expected === null && next === null) return (await readRef(tx, repositoryId, name)) === null;
  if (expected === null) {
    const sql = "INSERT INTO refs (repository_id, name, oid) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    return (await tx.query(sql, [repositoryId, name, next])).rowCount === 1;
  }
  if (next === null) {
    const sql = "DELETE FROM refs WHERE repository_id = $1 AND name = $2 AND oid = $3";
    return (await tx.query(sql, [repositoryId, name, expected])).rowCount === 1;
  }
  const sql = "UPDATE refs SET oid = $4, updated_at = now() WHERE repository_id = $1 AND name = $2 AND oid = $3";
  return (await tx.query(sql, [repositoryId, name, expected, next])).rowCount === 1;
}

export async function appendReflog(
  tx: Transaction,
  repositoryId: string,
  move: RefMove,
  why: { readonly actor: string; readonly reason: string },
): Promise<void> {
  await tx.query("INSERT INTO reflog (repository_id, ref, old_oid, new_oid, actor, reason) VALUES ($1, $2, $3, $4, $5, $6)", [
    repositoryId,
    move.name,
    move.expected,
    move.next,
    why.actor,
    why.reason,
  ]);
}
