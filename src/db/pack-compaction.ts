// Rows of `packs` as compaction needs them: where there are many, and one in the place of many.
import type { Queryable, Transaction } from "./database.ts";
import { insertPack, type NewPack } from "./packs.ts";
import { keepRepository } from "./repositories.ts";

export type PackCount = { readonly repositoryId: string; readonly packs: number };

/** Live packs of those of `ids` (null: of all repositories) that have at least `atLeast`, the most first. */
export async function countLivePacks(db: Queryable, ids: readonly string[] | null, atLeast: number): Promise<PackCount[]> {
  const { rows } = await db.query<{ repository_id: string; packs: string }>(
    `SELECT repository_id, count(*)::text AS packs FROM packs
     WHERE retired_at IS NULL ${ids === null ? "" : "AND repository_id = ANY($2)"}
     GROUP BY repository_id HAVING count(*) >= $1 ORDER BY count(*) DESC, repository_id`,
    ids === null ? [atLeast] : [atLeast, ids],
  );
  return rows.map(({ repository_id, packs }) => ({ repositoryId: repository_id, packs: Number(packs) }));
}

/**
 * Until the transaction ends no other process compacts the repository, and the transaction may wait for `packingMs` at a time.
 * False: another does now.
 */
export async function tryLockCompaction(tx: Transaction, repositoryId: string, packingMs: number): Promise<boolean> {
  await tx.query("SELECT set_config('idle_in_transaction_session_timeout', $1, true)", [`${packingMs}`]);
  const sql = "SELECT pg_try_advisory_xact_lock(hashtextextended('coregit.compact.' || $1::text, 0)) AS taken";
  const { rows } = await tx.query<{ taken: boolean }>(sql, [repositoryId]);
  return rows[0]?.taken === true;
}

/** Rows that take the server a few milliseconds: commits share its processor and its log. */
const RETIRED_AT_ONCE = 100;

export type Replacement = {
  readonly replaced: readonly string[];
  readonly pack: NewPack;
  /** Waited for between rows, which are locked, before the repository is. */
  readonly takeBreak: () => Promise<void>;
};

/**
 * Retires the packs `replaced` and puts `pack` in their place; the repository's version moves, so that views notice. False,
 * and nothing was written: the repository is gone, or one of the packs is not live any more.
 */
export async function replacePacks(
  tx: Transaction,
  repositoryId: string,
  { replaced, pack, takeBreak }: Replacement,
): Promise<boolean> {
  // Thousands of rows change first, beside publishes, which wait only for the last two statements. A deletion, which takes the
  // repository's row before those of its packs, waits from the start: else each could have what the other needs.
  if (!(await keepRepository(tx, repositoryId))) return false;
  const live = "repository_id = $1 AND id = ANY($2) AND retired_at IS NULL";
  // Whoever retires packs waits here, so that the count holds.
  const found = await tx.query(`SELECT FROM packs WHERE ${live} ORDER BY id FOR UPDATE`, [repositoryId, replaced]);
  if (found.rowCount !== replaced.length) return false;
  // Not the time at which the transaction began: views count from here for how long a replaced pack may still be in use.
  for (let start = 0; start < replaced.length; start += RETIRED_AT_ONCE) {
    const slice = replaced.slice(start, start + RETIRED_AT_ONCE);
    await tx.query(`UPDATE packs SET retired_at = clock_timestamp() WHERE ${live}`, [repositoryId, slice]);
    await takeBreak();
  }
  await tx.query("UPDATE repositories SET version = version + 1 WHERE id = $1", [repositoryId]);
  await insertPack(tx, repositoryId, pack);
  return true;
}

/** Names of the packs that a view keeps: those that are live and those that were retired less than `forMs` ago. */
export async function listLatePacks(db: Queryable, repositoryId: string, forMs: number): Promise<Set<string>> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT name FROM packs WHERE repository_id = $1 AND retired_at IS NULL
     UNION SELECT name FROM packs WHERE repository_id = $1 AND retired_at > clock_timestamp() - $2 * interval '1 millisecond'`,
    [repositoryId, forMs],
  );
  return new Set(rows.map(({ name }) => name));
}

/** Live packs of all repositories together. */
export async function totalLivePacks(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ packs: string }>("SELECT count(*)::text AS packs FROM packs WHERE retired_at IS NULL");
  return Number(rows[0]?.packs ?? 0);
}
