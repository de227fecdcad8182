// Rows of `packs`: which objects a repository consists of.
import type { Queryable, Transaction } from "./database.ts";

export type PackSource = "commit" | "import" | "push" | "compact";

export type PackRow = {
  readonly id: string;
  /** The pack's SHA-1 trailer. */
  readonly name: string;
  readonly packSize: number;
  readonly idxSize: number;
  readonly packSha256: Uint8Array;
  readonly idxSha256: Uint8Array;
};

export type NewPack = PackRow & {
  readonly source: PackSource;
  readonly objectCount: number;
  /** Null: the blob store has the bytes. */
  readonly inline: { readonly pack: Uint8Array; readonly idx: Uint8Array } | null;
};

export async function insertPack(tx: Transaction, repositoryId: string, pack: NewPack): Promise<void> {
  await tx.query(
    `INSERT INTO packs (id, repository_id, name, source, object_count, pack_size, idx_size, pack_sha256, idx_sha256, pack_bytes, idx_bytes)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    packValues(repositoryId, pack),
  );
}

/** The columns of a new pack, in the order of `insertPack`. */
export function packValues(repositoryId: string, pack: NewPack): readonly unknown[] {
  return [
    pack.id,
    repositoryId,
    pack.name,
    pack.source,
    pack.objectCount,
    pack.packSize,
    pack.idxSize,
    pack.packSha256,
    pack.idxSha256,
    pack.inline?.pack ?? null,
    pack.inline?.idx ?? null,
  ];
}

type LivePackRow = {
  readonly id: string;
  readonly name: string;
  readonly pack_size: string;
  readonly idx_size: string;
  readonly pack_sha256: Uint8Array;
  readonly idx_sha256: Uint8Array;
};

/** The packs that make up the repository now, oldest first, without their bytes. */
export async function listLivePacks(db: Queryable, repositoryId: string): Promise<PackRow[]> {
  const { rows } = await db.query<LivePackRow>(
    `SELECT id, name, pack_size::text AS pack_size, idx_size::text AS idx_size, pack_sha256, idx_sha256
     FROM packs WHERE repository_id = $1 AND retired_at IS NULL ORDER BY created_at, id`,
    [repositoryId],
  );
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    packSize: Number(row.pack_size),
    idxSize: Number(row.idx_size),
    packSha256: row.pack_sha256,
    idxSha256: row.idx_sha256,
  }));
}

/** The bytes of a small pack; null: they are in the blob store. */
export async function readInlinePack(
  db: Queryable,
  packId: string,
): Promise<{ readonly pack: Uint8Array; readonly idx: Uint8Array } | null> {
  const sql = "SELECT pack_bytes, idx_bytes FROM packs WHERE id = $1 AND pack_bytes IS NOT NULL";
  const { rows } = await db.query<{ pack_bytes: Uint8Array; idx_bytes: Uint8Array }>(sql, [packId]);
  return rows[0] === undefined ? null : { pack: rows[0].pack_bytes, idx: rows[0].idx_bytes };
}
