// Writes rows of `refs` and `reflog`, any number in a few statements. A ref moves only from what it was expected to be.

import type { Oid } from "../domain/oid.ts";
import { foldCase, foldersOf } from "../domain/ref-name.ts";
import type { Transaction } from "./database.ts";
import { readNamedRefs } from "./refs.ts";

export type RefMove = { readonly name: string; readonly expected: Oid | null; readonly next: Oid | null };

/**
 * Moves, makes and deletes refs that are what is expected; deletions come first, so that `a` may make room for `a/b`. Gives
 * the first that is not as expected; null: all were moved. A name stands in one move only.
 */
export async function moveRefs(tx: Transaction, repositoryId: string, moves: readonly RefMove[]): Promise<RefMove | null> {
  const absent = moves.filter(({ expected, next }) => expected === null && next === null).map(({ name }) => name);
  const present = absent.length === 0 ? [] : [...(await readNamedRefs(tx, repositoryId, absent)).keys()];
  const moved = new Set(absent.filter((name) => !present.includes(name)));
  for (const { sql, isMeant } of STATEMENTS) {
    const meant = moves.filter(isMeant);
    if (meant.length === 0) continue;
    const { rows } = await tx.query<{ name: string }>(sql, [repositoryId, ...columnsOf(meant)]);
    for (const { name } of rows) moved.add(name);
  }
  return moves.find(({ name }) => !moved.has(name)) ?? null;
}

type Statement = { readonly sql: string; isMeant(move: RefMove): boolean };

/** What every statement gets beside the repository. */
const MOVES = "unnest($2::text[], $3::text[], $4::text[]) AS move (name, expected, next)";

const STATEMENTS: readonly Statement[] = [
  {
    isMeant: ({ expected, next }) => expected !== null && next === null,
    sql: `DELETE FROM refs USING ${MOVES}
      WHERE refs.repository_id = $1 AND refs.name = move.name AND refs.oid = move.expected RETURNING refs.name`,
  },
  {
    isMeant: ({ expected, next }) => expected === null && next !== null,
    sql: `INSERT INTO refs (repository_id, name, oid) SELECT $1, move.name, move.next FROM ${MOVES}
      ON CONFLICT DO NOTHING RETURNING name`,
  },
  {
    isMeant: ({ expected, next }) => expected !== null && next !== null,
    sql: `UPDATE refs SET oid = move.next, updated_at = now() FROM ${MOVES}
      WHERE refs.repository_id = $1 AND refs.name = move.name AND refs.oid = move.expected RETURNING refs.name`,
  },
];

function columnsOf(moves: readonly RefMove[]): [string[], (Oid | null)[], (Oid | null)[]] {
  return [moves.map(({ name }) => name), moves.map(({ expected }) => expected), moves.map(({ next }) => next)];
}

/** A line for each. */
export async function appendReflog(
  tx: Transaction,
  repositoryId: string,
  lines: readonly {
    readonly move: RefMove;
    readonly actor: string;
    readonly reason: string;
    readonly traceparent: string | null;
  }[],
): Promise<void> {
  if (lines.length === 0) return;
  const why = (["actor", "reason", "traceparent"] as const).map((key) => lines.map((line) => line[key]));
  await tx.query(
    `INSERT INTO reflog (repository_id, ref, old_oid, new_oid, actor, reason, traceparent)
     SELECT $1, name, old_oid, new_oid, actor, reason, traceparent
     FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) WITH ORDINALITY
       AS line (name, old_oid, new_oid, actor, reason, traceparent, place)
     ORDER BY place`,
    [repositoryId, ...columnsOf(lines.map(({ move }) => move)), ...why],
  );
}

/** `isTwin`: the names differ in the case of letters only; otherwise one would be a folder of the other. */
export type RefConflict = { readonly name: string; readonly other: string; readonly isTwin: boolean };

/**
 * A ref that one of some names, which may be there already, cannot be kept beside; takes `conflictValues`. "0" is the character
 * after "/", so the second part looks for names that begin with `name/`.
 */
export const CONFLICTS = `
  SELECT folder.name, refs.name AS other FROM unnest($3::text[], $4::text[]) AS folder (name, path)
    JOIN refs ON refs.repository_id = $1 AND refs.name = folder.path
  UNION ALL
  SELECT made.name, refs.name FROM unnest($2::text[]) AS made (name)
    JOIN refs ON refs.repository_id = $1 AND refs.name > made.name || '/' AND refs.name < made.name || '0'
  UNION ALL
  SELECT made.name, refs.name FROM unnest($2::text[]) AS made (name)
    JOIN refs ON refs.repository_id = $1 AND lower(refs.name) = lower(made.name COLLATE "C") AND refs.name <> made.name
  LIMIT 1`;

/** A ref that one of the refs `names`, which are there already, cannot be kept beside; null: there is none. */
export async function findConflict(tx: Transaction, repositoryId: string, names: readonly string[]): Promise<RefConflict | null> {
  if (names.length === 0) return null;
  const { rows } = await tx.query<{ name: string; other: string }>(CONFLICTS, conflictValues(repositoryId, names));
  const [row] = rows;
  return row === undefined ? null : { ...row, isTwin: foldCase(row.name) === foldCase(row.other) };
}

/** Of names that are to be kept. */
export function conflictValues(repositoryId: string, names: readonly string[]): readonly unknown[] {
  const folders = names.flatMap((name) => foldersOf(name).map((path) => ({ name, path })));
  return [repositoryId, names, folders.map(({ name }) => name), folders.map(({ path }) => path)];
}
