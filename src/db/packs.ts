// Rows of `packs`: which objects a repository consists of.
import { CoregitError } from "../domain/errors.ts";
import type { Queryable, Transaction } from "./database.ts";
import { isBarred } from "./orphaned-packs.ts";

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

/**
 * Adds a pack to a repository whose row the transaction has locked.
 * @throws CoregitError `Timeout` when it was stored so long ago that its blobs are being deleted as those of an orphan.
 */
export async function insertPack(tx: Transaction, repositoryId: string, pack: NewPack): Promise<void> {
  if (pack.inline === null && (await isBarred(tx, pack.id)))
    throw new CoregitError("Timeout", `Pack ${pack.id} was not published within days of being stored and has been removed.`);
  await tx.query(
    `INSERT INTO packs (id, repository_id, name, source, object_count, pack_size, idx_size, pack_sha256, idx_sha256, pack_bytes, idx_bytes)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    packValues(repositoryId, pack),
  );
  // Read again before the packs that it replaces go.
  if (pack.source === "compact") await checkSoon(tx, pack.id);
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

export type LivePack = PackRow & {
  readonly objectCount: number;
  /** Its bytes are in the row. */
  readonly isInline: boolean;
};

type LivePackRow = {
  readonly id: string;
  readonly name: string;
  readonly object_count: number;
  readonly is_inline: boolean;
  readonly pack_size: string;
  readonly idx_size: string;
  readonly pack_sha256: Uint8Array;
  readonly idx_sha256: Uint8Array;
};

/** The packs that make up the repository now, oldest first, without their bytes. */
export async function listLivePacks(db: Queryable, repositoryId: string): Promise<LivePack[]> {
  const { rows } = await db.query<LivePackRow>(
    `SELECT id, name, object_count, pack_bytes IS NOT NULL AS is_inline, pack_size::text AS pack_size,
       idx_size::text AS idx_size, pack_sha256, idx_sha256
     FROM packs WHERE repository_id = $1 AND retired_at IS NULL ORDER BY created_at, id`,
    [repositoryId],
    "live-packs",
  );
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    objectCount: row.object_count,
    isInline: row.is_inline,
    packSize: Number(row.pack_size),
    idxSize: Number(row.idx_size),
    packSha256: row.pack_sha256,
    idxSha256: row.idx_sha256,
  }));
}

async function checkSoon(tx: Transaction, packId: string): Promise<void> {
  await tx.query("UPDATE packs SET next_check_at = now() WHERE id = $1", [packId]);
}

export type InlinePack = { readonly id: string; readonly pack: Uint8Array; readonly idx: Uint8Array };

/** The bytes of small packs, in any order and without those that are not there (any more). */
export async function readInlinePacks(db: Queryable, ids: readonly string[]): Promise<InlinePack[]> {
  const sql = "SELECT id, pack_bytes AS pack, idx_bytes AS idx FROM packs WHERE id = ANY($1) AND pack_bytes IS NOT NULL";
  return (await db.query<InlinePack>(sql, [ids])).rows;
}
