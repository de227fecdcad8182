// The oldest server that the schema and the queries work with.

import { CoregitError } from "../domain/errors.ts";
import type { Queryable } from "./database.ts";

const OLDEST_MAJOR = 14;

/** @throws CoregitError `DatabaseUnsupported` when the server is older than PostgreSQL 14. */
export async function checkServerVersion(db: Queryable): Promise<void> {
  const { rows } = await db.query(
    "SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number",
  );
  const [row] = rows;
  if (row === undefined || Number(row.number) >= OLDEST_MAJOR * 10_000) return;
  const sentence = `Coregit needs PostgreSQL ${OLDEST_MAJOR} or newer; the database server is ${row.version}.`;
  throw new CoregitError("DatabaseUnsupported", sentence);
}
