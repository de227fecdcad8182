// The password of the embedded database: generated once for a data directory and kept there, readable by its owner only.

import { randomBytes } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { CoregitError } from "../../domain/errors.ts";

/** The password kept in `path`, made when missing. The caller holds the data directory's lock. */
export async function obtainPassword(path: string): Promise<string> {
  const kept = await readPassword(path);
  if (kept !== "") return kept;
  const password = randomBytes(24).toString("hex");
  // Complete under its name or absent: the database is initialised with what stands here.
  const unfinished = `${path}.new`;
  await using file = await open(unfinished, "w", 0o600);
  await file.writeFile(password);
  await file.sync();
  await rename(unfinished, path);
  return password;
}

/** Empty when there is none. */
export async function readPassword(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return "";
    throw new CoregitError("DatabaseUnavailable", `The file ${path} with the embedded database's password cannot be read.`, {
      cause,
    });
  }
}
