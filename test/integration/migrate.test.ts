// Schema migrations on a real server: by several processes at once, and on databases that do not fit the program.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { migrate, schemaState } from "../../src/db/migrate.ts";
import { startChildProgram } from "../support/child-program.ts";
import { createEmptyTestDatabase, createTestDatabase, type TestDatabase } from "../support/database.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { until } from "../support/until.ts";

const PROGRAM_MIGRATIONS = join(import.meta.dirname, "../../src/db/migrations");

const SLOW_FIRST = "CREATE TABLE first (id integer); SELECT pg_sleep(0.3); INSERT INTO first VALUES (1);";
const SECOND = "CREATE TABLE second (id integer); INSERT INTO second VALUES (2);";

test("an empty database becomes current, and a second migration finds nothing to do", async () => {
  await using db = await createEmptyTestDatabase();
  expect((await schemaState(db.database)).kind).toBe("behind");
  const applied = await migrate({ url: db.url, logger: silentLogger });
  expect(applied).not.toEqual([]);
  expect(await schemaState(db.database)).toEqual({ kind: "current" });
  expect(await migrate({ url: db.url, logger: silentLogger })).toEqual([]);
});

test("of several processes at once each migration is applied by one, and all end well", async () => {
  await using db = await createEmptyTestDatabase();
  await using files = await migrationFiles({ "0001-first.sql": SLOW_FIRST, "0002-second.sql": SECOND });
  await using stack = new AsyncDisposableStack();
  const programs = Array.from({ length: 4 }, () => stack.use(startChildProgram("run-migrations.ts", [db.url, files.directory])));
  const counts = await Promise.all(programs.map(({ firstLine }) => firstLine));
  expect(counts.reduce((sum, count) => sum + Number(count), 0)).toBe(2);
  expect(await Promise.all(programs.map(({ exitCode }) => exitCode))).toEqual([0, 0, 0, 0]);
  expect((await db.database.query("SELECT * FROM first, second")).rowCount).toBe(1);
});

test("the program's own migrations by several processes at once", async () => {
  await using db = await createEmptyTestDatabase();
  await using stack = new AsyncDisposableStack();
  const programs = Array.from({ length: 3 }, () =>
    stack.use(startChildProgram("run-migrations.ts", [db.url, PROGRAM_MIGRATIONS])),
  );
  await Promise.all(programs.map(({ firstLine }) => firstLine));
  expect(await schemaState(db.database)).toEqual({ kind: "current" });
});

test("a migration that fails leaves nothing of itself, and those before it stay", async () => {
  await using db = await createEmptyTestDatabase();
  await using files = await migrationFiles({
    "0001-first.sql": SECOND,
    "0002-broken.sql": "CREATE TABLE half (id integer); SELECT 1/0;",
  });
  await expect(migrate({ url: db.url, logger: silentLogger, directory: files.directory })).rejects.toMatchObject({
    code: "22012",
  });
  const { rows } = await db.database.query(
    "SELECT to_regclass('second') IS NOT NULL AS before, to_regclass('half') IS NOT NULL AS half",
  );
  expect(rows).toEqual([{ before: true, half: false }]);
  expect((await db.database.query("SELECT name FROM schema_migrations")).rows).toEqual([{ name: "0001-first.sql" }]);
});

test("while a migration takes its time, processes that run go on reading the schema's state", async () => {
  await using db = await createEmptyTestDatabase();
  await using files = await migrationFiles({ "0001-first.sql": SECOND });
  const options = { url: db.url, logger: silentLogger, directory: files.directory };
  await migrate(options);
  await files.write("0002-long.sql", "SELECT pg_advisory_xact_lock(42);");
  let migrating: Promise<unknown> = Promise.resolve();
  await db.database.transaction(async (tx) => {
    await tx.query("SELECT pg_advisory_xact_lock(42)");
    migrating = migrate(options);
    const isWaiting = async () =>
      (await db.database.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted")).rowCount > 0;
    await until("the migration is under way", isWaiting);
    await tx.query("LOCK TABLE schema_migrations IN ACCESS SHARE MODE NOWAIT");
    expect((await tx.query("SELECT name FROM schema_migrations")).rows).toEqual([{ name: "0001-first.sql" }]);
  });
  expect(await migrating).toEqual(["0002-long.sql"]);
});

test("an applied migration whose file was changed is refused, changed line ends are not", async () => {
  await using db = await createEmptyTestDatabase();
  await using files = await migrationFiles({ "0001-first.sql": "CREATE TABLE a (id integer);\n" });
  const options = { url: db.url, logger: silentLogger, directory: files.directory };
  await migrate(options);
  await files.write("0001-first.sql", "CREATE TABLE a (id integer);\r\n");
  expect(await migrate(options)).toEqual([]);
  await files.write("0001-first.sql", "CREATE TABLE a (id bigint);\n");
  await expect(migrate(options)).rejects.toMatchObject({
    code: "DatabaseUnsupported",
    message: "Migration 0001-first.sql was applied to the database with a content that differs from this program's.",
  });
});

test("a database that is ahead by what needs no newer program is as good as its own", async () => {
  await using db = await createTestDatabase();
  await addFuture(db, 0);
  expect(await migrate({ url: db.url, logger: silentLogger })).toEqual([]);
  expect(await schemaState(db.database)).toEqual({ kind: "current" });
});

test("a database that knows nothing yet of which program a migration needs is read and brought up to date", async () => {
  await using db = await createTestDatabase();
  await db.database.query("ALTER TABLE schema_migrations DROP COLUMN needs");
  expect(await schemaState(db.database)).toEqual({ kind: "current" });
  expect(await migrate({ url: db.url, logger: silentLogger })).toEqual([]);
});

test("a migration says which one a program must know to work after it", async () => {
  await using db = await createEmptyTestDatabase();
  const contracting = "-- Ends what 0001 began.\n-- needs: 0001\nDROP TABLE second;";
  await using files = await migrationFiles({ "0001-first.sql": SECOND, "0002-end.sql": contracting });
  await migrate({ url: db.url, logger: silentLogger, directory: files.directory });
  const { rows } = await db.database.query("SELECT version, needs FROM schema_migrations ORDER BY version");
  expect(rows).toEqual([
    { version: 1, needs: 0 },
    { version: 2, needs: 1 },
  ]);
});

test("a database that needs a newer program is refused", async () => {
  await using db = await createTestDatabase();
  await addFuture(db, 9999);
  const reason = "The database is newer than this program: it has migration 9999-future.sql. Run a newer version.";
  await expect(migrate({ url: db.url, logger: silentLogger })).rejects.toMatchObject({
    code: "DatabaseUnsupported",
    message: reason,
  });
  expect(await schemaState(db.database)).toEqual({ kind: "refused", reason });
  expect(await schemaState(db.database)).not.toEqual({ kind: "current" });
});

test("a gap in the numbers of the files is a defect", async () => {
  await using db = await createEmptyTestDatabase();
  await using files = await migrationFiles({ "0001-first.sql": SECOND, "0003-third.sql": "SELECT 1" });
  await expect(migrate({ url: db.url, logger: silentLogger, directory: files.directory })).rejects.toMatchObject({
    code: "Internal",
  });
});

/** A migration of a later release, which needs a program that knows migration `needs`. */
async function addFuture({ database }: TestDatabase, needs: number): Promise<void> {
  const values = "(9999, '9999-future.sql', 'x', $1)";
  await database.query(`INSERT INTO schema_migrations (version, name, checksum, needs) VALUES ${values}`, [needs]);
}

async function migrationFiles(files: Readonly<Record<string, string>>) {
  const directory = await mkdtemp(join(tmpdir(), "coregit-test-migrations-"));
  const write = (name: string, sql: string) => writeFile(join(directory, name), sql);
  await Promise.all(Object.entries(files).map(([name, sql]) => write(name, sql)));
  return { directory, write, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}
