// Which exports a change of a local branch makes due.
import { CHANNELS, type Queryable } from "./database.ts";
import { MAX_WAKE_TRACES } from "./wake-traces.ts";

const EXPORTED_REF = "'refs/heads/' || COALESCE(s.spec->>'branch', r.default_branch)";

// A sync that failed for a while keeps its back-off. One whose failure was a conclusion (`seen_generation`) runs when the
// branch is no longer what led to it.
const MAKE_DUE = `
  WITH due AS (
    UPDATE syncs s SET next_run_at = now(), wake_traces = (s.wake_traces || ARRAY(
      SELECT traceparent FROM (
        SELECT traceparent FROM reflog
        WHERE reflog.repository_id = r.id AND reflog.ref = ${EXPORTED_REF} ORDER BY reflog.id DESC LIMIT 1) AS moved
      WHERE traceparent IS NOT NULL))[1:${MAX_WAKE_TRACES}]
    FROM repositories r
    WHERE r.id = s.repository_id AND ($1::text[] IS NULL OR s.repository_id = ANY($1))
      AND s.spec->>'direction' = 'export' AND (s.spec->>'autoSync')::boolean AND NOT s.suspended AND s.next_run_at > now()
      AND (s.failures = 0 OR s.seen_generation IS NOT NULL)
      AND s.seen_local IS DISTINCT FROM (
        SELECT oid FROM refs
        WHERE refs.repository_id = r.id AND refs.name = ${EXPORTED_REF})
    RETURNING s.id
  )
  SELECT id, pg_notify('${CHANNELS.syncDue}', id) FROM due`;

/**
 * Makes automatic exports due whose local branch is not where they last saw it, of these repositories or, null, of all.
 * Workers are notified. Idempotent. Returns how many became due.
 */
export async function makeExportsDue(db: Queryable, repositoryIds: readonly string[] | null): Promise<number> {
  const { rowCount } = await db.query(MAKE_DUE, [repositoryIds]);
  return rowCount;
}
