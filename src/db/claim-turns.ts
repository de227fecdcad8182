// Whose turn it is when more syncs are due than workers are free: namespaces take turns, so that one with a thousand due syncs
// delays another by a run, not by a thousand. A sync's turn is the number of runs that its namespace has at work, and of its due
// syncs that have waited longer; the lowest turn is first, and among equals the one that is due longest.
//
// Turns are given to those due longest and to those due last, not to everything that is due: a claim costs the same however
// much waits. Whoever became due behind somebody's backlog is at the one end, whatever waited through it at the other. What lies
// between two backlogs of others is reached as they shrink, as in a plain queue.

export const DUE_AT = "LEAST(next_run_at, trigger_at)";
export const IS_DUE = `lease_owner IS NULL AND NOT suspended AND ${DUE_AT} <= now()`;

/** Due rows looked at from either end. More than the claims that are under way at once, which skip what others have locked. */
const LOOKED_AT = 32;

const ends = (direction: "ASC" | "DESC") =>
  `(SELECT id, namespace, ${DUE_AT} AS due_at FROM syncs WHERE ${IS_DUE} ORDER BY ${DUE_AT} ${direction} LIMIT ${LOOKED_AT})`;

/** Common table expressions of which the last, `turns`, has one row: `ids`, the due syncs in the order of their turns. */
export const TURNS = `
  ends AS (${ends("ASC")} UNION ${ends("DESC")}),
  busy AS (SELECT namespace, count(*) AS runs FROM syncs WHERE lease_owner IS NOT NULL GROUP BY namespace),
  turns AS (
    SELECT array_agg(id ORDER BY turn, due_at) AS ids
    FROM (
      SELECT id, due_at, row_number() OVER (PARTITION BY namespace ORDER BY due_at) + COALESCE(runs, 0) AS turn
      FROM ends LEFT JOIN busy USING (namespace)
    ) AS numbered
  )`;
