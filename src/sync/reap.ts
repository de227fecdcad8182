// Ends what dead workers left: their leases, their runs, and makes the syncs due again. A worker that was only slow finds
// its lease stale and writes nothing.
import type { Database } from "../db/database.ts";
import { notify } from "../db/notify.ts";
import { closeRunningRuns } from "../db/runs.ts";
import { endDeadLeases } from "../db/sync-leases.ts";
import { writeInterrupted } from "../db/sync-results.ts";

const MESSAGE = "The worker died in the middle of the run; it is run again.";

/** `isOnlyWorker`: no other process works on this database, so every lease of another owner is dead. Returns how many were. */
export async function reap(database: Database, owner: string, isOnlyWorker: boolean): Promise<number> {
  return database.transaction(async (tx) => {
    const syncIds = await endDeadLeases(tx, owner, isOnlyWorker);
    if (syncIds.length === 0) return 0;
    const runs = await closeRunningRuns(tx, syncIds, { code: "Interrupted", message: MESSAGE });
    for (const run of runs) await writeInterrupted(tx, { syncId: run.syncId, runId: run.id, message: MESSAGE });
    await notify(tx, "runEnded", syncIds);
    await notify(tx, "syncChanged", [...new Set(runs.map(({ syncId }) => syncId))]);
    await notify(tx, "syncDue", syncIds);
    return syncIds.length;
  });
}
