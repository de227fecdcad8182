// The migrations that the program brings: `migrations/NNNN-name.sql`, numbered from 1 without gaps. One expands the schema, so
// that programs which do not know it go on working, or it says by a line `-- needs: NNNN` which migration a program must know
// to work after it: it contracts what an earlier release has stopped using.

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CoregitError } from "../domain/errors.ts";

export type Migration = {
  readonly version: number;
  /** The file's name, for messages. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 in hex over the text with LF line ends, so that a checkout's line ends do not matter. */
  readonly checksum: string;
  /** The newest migration that a program must know to work on a database that has this one; 0: none. */
  readonly needs: number;
};

const NEEDS = /^-- needs: (\d{4})$/m;
const FILE_NAME = /^(\d{4})-[a-z0-9-]+\.sql$/;

const PROGRAM_MIGRATIONS = join(import.meta.dirname, "migrations");

/** The migrations of `directory` (default: the program's own) in order. */
export async function readMigrations(directory: string = PROGRAM_MIGRATIONS): Promise<readonly Migration[]> {
  const names = (await readdir(directory)).filter((name) => FILE_NAME.test(name)).sort();
  const migrations = await Promise.all(names.map((name) => readMigration(directory, name)));
  const misplaced = migrations.find((migration, index) => migration.version !== index + 1);
  if (misplaced !== undefined)
    throw new CoregitError("Internal", `Migration ${misplaced.name} leaves a gap or repeats a number.`);
  return migrations;
}

async function readMigration(directory: string, name: string): Promise<Migration> {
  const sql = (await readFile(join(directory, name), "utf8")).replaceAll("\r\n", "\n");
  const checksum = createHash("sha256").update(sql).digest("hex");
  return { version: Number.parseInt(name, 10), name, sql, checksum, needs: Number(NEEDS.exec(sql)?.[1] ?? 0) };
}
