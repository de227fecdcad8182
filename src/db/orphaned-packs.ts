// Packs of the blob store that no row of `packs` names: rows of `orphaned_packs`. Times are the database's, so that the clock
// of one machine cannot age them.
import type { Queryable, Transaction } from "./database.ts";

/** The database's time, epoch milliseconds. */
export async function readDatabaseTime(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ now: Date }>("SELECT now() AS now");
  return rows[0]?.now.getTime() ?? 0;
}

/** Those of `ids` that no row names, live or retired. Packs that have a row by now are orphans no longer. */
export async function findUnnamedPacks(db: Queryable, ids: readonly string[]): Promise<Set<string>> {
  await db.query("DELETE FROM orphaned_packs o USING packs p WHERE o.id = ANY($1) AND p.id = o.id AND o.collected_at IS NULL", [
    ids,
  ]);
  const sql = "SELECT id FROM unnest($1::text[]) AS listed (id) WHERE NOT EXISTS (SELECT FROM packs WHERE packs.id = listed.id)";
  const { rows } = await db.query<{ id: string }>(sql, [ids]);
  return new Set(rows.map(({ id }) => id));
}

export type OrphanedPack = { readonly id: string; readonly repositoryId: string };

/** Notes orphans that were not known, and returns those that have been known for longer than `graceMs`. */
export async function noteOrphans(db: Queryable, orphans: readonly OrphanedPack[], graceMs: number): Promise<OrphanedPack[]> {
  const ids = orphans.map(({ id }) => id);
  await db.query(
    `INSERT INTO orphaned_packs (id, repository_id) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING`,
    [ids, orphans.map(({ repositoryId }) => repositoryId)],
  );
  const { rows } = await db.query<{ id: string; repository_id: string }>(
    `SELECT id, repository_id FROM orphaned_packs
     WHERE id = ANY($1) AND (seen_at < now() - $2 * interval '1 ms' OR collected_at IS NOT NULL) ORDER BY id`,
    [ids, graceMs],
  );
  return rows.map(({ id, repository_id }) => ({ id, repositoryId: repository_id }));
}

/**
 * Bars those of `ids` that no row names from being published, and returns them: their blobs may be deleted once the
 * transaction is committed. Publishes of the repository wait until then, and those under way are waited for.
 */
export async function barFromPublishing(tx: Transaction, repositoryId: string, ids: readonly string[]): Promise<string[]> {
  await tx.query("SELECT FROM repositories WHERE id = $1 FOR NO KEY UPDATE", [repositoryId]);
  const { rows } = await tx.query<{ id: string }>(
    `UPDATE orphaned_packs SET collected_at = coalesce(collected_at, now())
     WHERE id = ANY($1) AND NOT EXISTS (SELECT FROM packs WHERE packs.id = orphaned_packs.id) RETURNING id`,
    [ids],
  );
  return rows.map(({ id }) => id);
}

/** Whether the pack's blobs are being deleted. To be asked after the repository's row is locked. */
export async function isBarred(tx: Transaction, packId: string): Promise<boolean> {
  const sql = "SELECT FROM orphaned_packs WHERE id = $1 AND collected_at IS NOT NULL";
  return (await tx.query(sql, [packId])).rowCount > 0;
}

/** Forgets packs whose blobs went longer ago than anybody could still be about to publish them. */
export async function forgetCollected(db: Queryable, afterMs: number): Promise<void> {
  await db.query("DELETE FROM orphaned_packs WHERE collected_at < now() - $1 * interval '1 ms'", [afterMs]);
}
