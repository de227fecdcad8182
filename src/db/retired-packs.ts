// The end of packs that others have replaced. Times are the database's.
import type { Queryable } from "./database.ts";

export type DeletedPack = { readonly id: string; readonly repositoryId: string; readonly hasBlobs: boolean };

export type Retention = {
  /** How long a retired pack stays whose bytes are in its row. */
  readonly inlineMs: number;
  /** The same for one whose bytes are in the blob store. */
  readonly blobMs: number;
  /** How many go at most. */
  readonly limit: number;
};

const DELETE = `
  DELETE FROM packs WHERE id IN (
    SELECT id FROM packs
    WHERE retired_at < now() - CASE WHEN pack_bytes IS NULL THEN $2::bigint ELSE $1::bigint END * interval '1 ms'
      AND NOT EXISTS (SELECT FROM packs d
        WHERE d.repository_id = packs.repository_id AND d.damage IS NOT NULL AND d.retired_at IS NULL)
    ORDER BY retired_at LIMIT $3 FOR UPDATE SKIP LOCKED)
  RETURNING id, repository_id, pack_bytes IS NULL AS has_blobs`;

/**
 * Deletes the rows of packs that were retired long enough ago, the longest first. Those of a repository with a damaged pack
 * stay: they may hold the only good copy of what that one should have.
 */
export async function deleteRetiredPacks(db: Queryable, retention: Retention): Promise<DeletedPack[]> {
  const { rows } = await db.query<{ id: string; repository_id: string; has_blobs: boolean }>(DELETE, [
    retention.inlineMs,
    retention.blobMs,
    retention.limit,
  ]);
  return rows.map(({ id, repository_id, has_blobs }) => ({ id, repositoryId: repository_id, hasBlobs: has_blobs }));
}

/** Takes a live pack out of its repository. False: it was not live. */
export async function retirePack(db: Queryable, packId: string): Promise<boolean> {
  const sql = "UPDATE packs SET retired_at = now() WHERE id = $1 AND retired_at IS NULL";
  return (await db.query(sql, [packId])).rowCount === 1;
}
