// Finds a PostgreSQL server that the machine already has, new enough for the tests.

import { execFile } from "node:child_process";
import { access, constants, readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const OLDEST_MAJOR = 14;
const DEBIAN_SERVERS = "/usr/lib/postgresql";

/** The folder of `initdb` and `postgres`, or undefined when there is none that will do. */
export async function findSystemPostgres(): Promise<string | undefined> {
  const versions = (await readdir(DEBIAN_SERVERS).catch(() => [])).sort((a, b) => Number(b) - Number(a));
  const onPath = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const folders = [...onPath, ...versions.map((version) => join(DEBIAN_SERVERS, version, "bin"))];
  for (const folder of folders) {
    if (await isUsable(folder)) return folder;
  }
  return undefined;
}

async function isUsable(folder: string): Promise<boolean> {
  try {
    await access(join(folder, "initdb"), constants.X_OK);
    const { stdout } = await promisify(execFile)(join(folder, "postgres"), ["--version"], { timeout: 10_000 });
    return Number(/ (\d+)/.exec(stdout)?.[1]) >= OLDEST_MAJOR;
  } catch {
    return false;
  }
}
