// Syncs that are declared for the first time at the same time become rows in one transaction: a start with thousands of them waits
// for as many commits as there are batches.
import type { Database } from "../db/database.ts";
import { insertNewSyncs, type NewSync, type SyncRows, writeSync } from "./declare-sync.ts";
import { Together } from "./together.ts";

/** A batch holds a connection and locks on what is new for some milliseconds. */
const MOST_TOGETHER = 32;

/** Undoes the batch. */
class NameTaken extends Error {}

export function declareNewSyncs(database: Database): SyncRows["declareNew"] {
  const together = new Together((syncs: readonly NewSync[]) => writeAll(database, syncs), MOST_TOGETHER);
  return async (sync) => {
    const written = await together.ask(sync);
    if (written.status === "fulfilled") return written.value;
    throw written.reason;
  };
}

/** One that fails costs the others a second try, each alone. */
async function writeAll(database: Database, syncs: readonly NewSync[]): Promise<readonly PromiseSettledResult<string>[]> {
  try {
    return (await writeTogether(database, syncs)).map((value) => ({ status: "fulfilled", value }));
  } catch {
    // Which of them it was shows below.
  }
  return await Promise.allSettled(
    syncs.map(({ declaration, cause }) => database.transaction((tx) => writeSync(tx, declaration, cause))),
  );
}

function writeTogether(database: Database, syncs: readonly NewSync[]): Promise<readonly string[]> {
  return database.transaction(async (tx) => {
    const ids = await insertNewSyncs(tx, syncs);
    if (ids === null) throw new NameTaken("Somebody has declared one of them meanwhile.");
    return ids;
  });
}
