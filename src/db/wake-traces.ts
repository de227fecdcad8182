// What woke a sync, remembered until a worker claims it. Written only where a trace is recorded.
import type { Queryable } from "./database.ts";

/** A run shows its first cause as parent and links the others; more of them tell nobody more. */
export const MAX_WAKE_TRACES = 8;

/** In the transaction that makes the syncs due, so that whoever claims them has it. */
export async function rememberWake(db: Queryable, syncIds: readonly string[], traceparent: string | null): Promise<void> {
  if (traceparent === null || syncIds.length === 0) return;
  await db.query(`UPDATE syncs SET wake_traces = (wake_traces || $2::text)[1:${MAX_WAKE_TRACES}] WHERE id = ANY($1)`, [
    syncIds,
    traceparent,
  ]);
}
