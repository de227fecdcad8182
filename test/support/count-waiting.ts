import type { Database } from "../../src/db/database.ts";

/** How many statements of the database wait for a lock of another. */
export async function countWaiting(database: Database): Promise<number> {
  const sql = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
  return (await database.query(sql)).rowCount;
}
