// All columns that hold sealed bytes, for what concerns every one of them: sealing anew after the keys were rotated, and counting
// which keys are still needed. A new column with secrets is a line here.
import type { Queryable } from "./database.ts";
import { type Belonging, isSealedWithFirst, open, type SealingKeys, seal, sealPrefixes } from "./seal.ts";

type SealedColumn = {
  readonly table: string;
  readonly column: string;
  /** Whom it was sealed for. */
  readonly owner: string;
  readonly what: Belonging["what"];
};

export const SEALED_COLUMNS: readonly SealedColumn[] = [
  { table: "connections", column: "credential", owner: "id", what: "credential" },
  { table: "webhooks", column: "credential", owner: "connection_id", what: "credential" },
  { table: "webhooks", column: "secret", owner: "id", what: "webhook secret" },
];

type SealedRow = { readonly id: string; readonly owner: string | null; readonly sealed: Uint8Array };

export type Resealing = { readonly resealed: number; readonly unreadable: number; readonly lastId: string | null };

/**
 * Seals up to `limit` rows of one column with the first key, those after `afterId` in order of their ids. What somebody else changes
 * meanwhile is left to him. `lastId` null: there are no more.
 */
export async function resealSome(
  db: Queryable,
  keys: SealingKeys,
  { table, column, owner, what }: SealedColumn,
  { afterId, limit }: { readonly afterId: string; readonly limit: number },
): Promise<Resealing> {
  const { rows } = await db.query<SealedRow>(
    `SELECT id, ${owner} AS owner, ${column} AS sealed FROM ${table}
     WHERE ${column} IS NOT NULL AND substring(${column} FROM 1 FOR 5) <> $1 AND id > $2 ORDER BY id LIMIT $3`,
    [sealPrefixes(keys)[0] ?? Buffer.alloc(0), afterId, limit],
  );
  let resealed = 0;
  let unreadable = 0;
  for (const row of rows) {
    const anew = sealAnew(keys, { what, id: row.owner ?? "" }, row.sealed);
    if (anew === null) unreadable += 1;
    else {
      const { rowCount } = await db.query(`UPDATE ${table} SET ${column} = $3 WHERE id = $1 AND ${column} = $2`, [
        row.id,
        row.sealed,
        anew,
      ]);
      resealed += rowCount ?? 0;
    }
  }
  return { resealed, unreadable, lastId: rows.length < limit ? null : (rows.at(-1)?.id ?? null) };
}

/** null: no key opens it. */
function sealAnew(keys: SealingKeys, belonging: Belonging, sealed: Uint8Array): Uint8Array | null {
  try {
    return isSealedWithFirst(keys, sealed) ? sealed : seal(keys, belonging, open(keys, belonging, sealed));
  } catch {
    return null;
  }
}

/** Secrets by the keys that open them. */
export type SealCounts = { readonly first: number; readonly older: number; readonly unreadable: number };

export async function countSeals(db: Queryable, keys: SealingKeys): Promise<SealCounts> {
  const [first, ...older] = sealPrefixes(keys).map((prefix) => Buffer.from(prefix).toString("hex"));
  const counts = { first: 0, older: 0, unreadable: 0 };
  for (const { table, column } of SEALED_COLUMNS) {
    const { rows } = await db.query<{ prefix: string; count: number }>(
      `SELECT encode(substring(${column} FROM 1 FOR 5), 'hex') AS prefix, count(*)::integer AS count
       FROM ${table} WHERE ${column} IS NOT NULL GROUP BY 1`,
    );
    for (const { prefix, count } of rows) {
      if (prefix === first) counts.first += count;
      else if (older.includes(prefix)) counts.older += count;
      else counts.unreadable += count;
    }
  }
  return counts;
}
