// The embedded database as a guest finds it: of a standalone that runs, or lying still. Nothing is started or changed here.
import { access } from "node:fs/promises";
import { join } from "node:path";
import { postgresUrl } from "./embedded-postgres.ts";
import { readPassword } from "./postgres/password.ts";
import { isServerOf, readPidFile } from "./postgres/pid-file.ts";

/** URL of the server that is running over the data directory, password included; null: none is. */
export async function findRunningPostgres(dataDir: string): Promise<string | null> {
  const clusterDir = join(dataDir, "postgres");
  const server = await readPidFile(clusterDir);
  if (server === null || !server.isReady || !(await isServerOf(server.pid, clusterDir))) return null;
  return postgresUrl(await readPassword(join(dataDir, "postgres-password")), server.port);
}

/** Whether there is a database in the data directory. */
export async function hasEmbeddedPostgres(dataDir: string): Promise<boolean> {
  return await access(join(dataDir, "postgres", "PG_VERSION")).then(
    () => true,
    () => false,
  );
}
