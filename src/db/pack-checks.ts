// When the bytes of packs are checked, and what was found: `packs.next_check_at` and `packs.damage`. Times are the database's.
import type { Queryable } from "./database.ts";
import type { LivePack, PackSource } from "./packs.ts";

export type CheckedPack = LivePack & { readonly repositoryId: string; readonly source: PackSource };

type ClaimedRow = {
  readonly id: string;
  readonly name: string;
  readonly pack_size: number;
  readonly idx_size: number;
  readonly pack_sha256: Uint8Array;
  readonly idx_sha256: Uint8Array;
  readonly repository_id: string;
  readonly source: PackSource;
  readonly object_count: number;
  readonly is_inline: boolean;
};

const CLAIM = `
  UPDATE packs SET next_check_at = now() + $1 * interval '1 ms' WHERE id = (
    SELECT id FROM packs WHERE retired_at IS NULL AND next_check_at <= now()
    ORDER BY next_check_at LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING id, name, pack_size, idx_size, pack_sha256, idx_sha256, repository_id, source, object_count,
    pack_bytes IS NOT NULL AS is_inline`;

/** The live pack whose check has been due the longest. No other process gets it for `claimMs`; null: none is due. */
export async function claimPackToCheck(db: Queryable, claimMs: number): Promise<CheckedPack | null> {
  const { rows } = await db.query<ClaimedRow>(CLAIM, [claimMs]);
  const [row] = rows;
  if (row === undefined) return null;
  return {
    id: row.id,
    name: row.name,
    packSize: row.pack_size,
    idxSize: row.idx_size,
    packSha256: row.pack_sha256,
    idxSha256: row.idx_sha256,
    repositoryId: row.repository_id,
    source: row.source,
    objectCount: row.object_count,
    isInline: row.is_inline,
  };
}

export type CheckResult = { readonly damage: string | null; readonly nextInMs: number };

/** False: the pack is not live any more, and what was found does not matter. */
export async function recordPackCheck(db: Queryable, packId: string, { damage, nextInMs }: CheckResult): Promise<boolean> {
  const sql = `UPDATE packs SET damage = $2, next_check_at = now() + $3 * interval '1 ms' WHERE id = $1 AND retired_at IS NULL`;
  return (await db.query(sql, [packId, damage, nextInMs])).rowCount === 1;
}

export type DamagedPack = {
  readonly id: string;
  readonly namespace: string;
  readonly slug: string;
  readonly damage: string;
};

/** Live packs that were found damaged, at most `limit`, and how many there are. */
export async function listDamagedPacks(
  db: Queryable,
  limit: number,
): Promise<{ readonly packs: readonly DamagedPack[]; readonly count: number }> {
  const { rows } = await db.query<DamagedPack & { readonly count: number }>(
    `SELECT p.id, r.namespace, r.slug, p.damage, count(*) OVER () AS count
     FROM packs p JOIN repositories r ON r.id = p.repository_id
     WHERE p.damage IS NOT NULL AND p.retired_at IS NULL ORDER BY r.namespace, r.slug, p.id LIMIT $1`,
    [limit],
  );
  return { packs: rows.map(({ count: _, ...pack }) => pack), count: rows[0]?.count ?? 0 };
}
