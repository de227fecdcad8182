// How far walks through the blob store have come: rows of `blob_walks`. Several processes may go on with one walk; each step
// counts once.
import type { Queryable } from "./database.ts";

/** The key behind which the walk goes on, or null: the last one ended less than `restMs` ago. */
export async function resumeWalk(db: Queryable, purpose: string, restMs: number): Promise<string | null> {
  await db.query("INSERT INTO blob_walks (purpose) VALUES ($1) ON CONFLICT DO NOTHING", [purpose]);
  const { rows } = await db.query<{ after_key: string }>(
    "SELECT after_key FROM blob_walks WHERE purpose = $1 AND (after_key <> '' OR ended_at <= now() - $2 * interval '1 ms')",
    [purpose, restMs],
  );
  return rows[0]?.after_key ?? null;
}

/** Moves the walk on from `from`. False: another process did. */
export async function advanceWalk(db: Queryable, purpose: string, from: string, to: string): Promise<boolean> {
  const sql = "UPDATE blob_walks SET after_key = $3 WHERE purpose = $1 AND after_key = $2";
  return (await db.query(sql, [purpose, from, to])).rowCount === 1;
}

/** Ends the walk that has come to the end from `from`, unless another process did. */
export async function endWalk(db: Queryable, purpose: string, from: string): Promise<void> {
  const sql = "UPDATE blob_walks SET after_key = '', ended_at = now() WHERE purpose = $1 AND after_key = $2";
  await db.query(sql, [purpose, from]);
}
