// A database of its own for a test: a copy of a migrated template, which the first test of a server makes.

import { createHash, randomUUID } from "node:crypto";
import { inject } from "vitest";
import type { Database } from "../../src/db/database.ts";
import { migrate } from "../../src/db/migrate.ts";
import { readMigrations } from "../../src/db/migration-files.ts";
import { connectPostgres } from "../../src/db/postgres.ts";
import { knowPassword } from "./secrets/declared-secrets.ts";
import { keepSaid, keepsEvidence } from "./secrets/evidence.ts";
import { silentLogger } from "./silent-logger.ts";
import "./postgres-setup.ts";

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly database: Database;
}

/** Makes the template; any constant, as nothing else locks in the server's own database. */
const TEMPLATE_LOCK = 4_180_211;

/** Creates a migrated database, connected; disposal drops it, also while others are connected to it. */
export async function createTestDatabase(): Promise<TestDatabase> {
  return await createDatabase(migratedTemplate);
}

/** The same without a schema. */
export async function createEmptyTestDatabase(): Promise<TestDatabase> {
  return await createDatabase(async () => "template1");
}

async function createDatabase(template: (server: Database, serverUrl: string) => Promise<string>): Promise<TestDatabase> {
  const serverUrl = inject("postgresUrl");
  const name = `coregit_test_${randomUUID().replaceAll("-", "")}`;
  await onServer(serverUrl, async (server) => {
    await server.query(`CREATE DATABASE ${name} TEMPLATE ${await template(server, serverUrl)}`);
  });
  await using stack = new AsyncDisposableStack();
  stack.defer(() =>
    onServer(serverUrl, async (server) => void (await server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))),
  );
  const url = withDatabase(serverUrl, name);
  knowPassword(url);
  const database = stack.use(await connectPostgres({ url, logger: silentLogger }));
  stack.defer(() => keepRows(database));
  const owned = stack.move();
  return { url, database, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The name of a database at the program's newest schema, to which nobody is connected. */
async function migratedTemplate(server: Database, serverUrl: string): Promise<string> {
  const migrations = await readMigrations();
  const fingerprint = createHash("sha256")
    .update(migrations.map(({ checksum }) => checksum).join())
    .digest("hex");
  const name = `coregit_template_${fingerprint.slice(0, 16)}`;
  if (await isThere(server, name)) return name;
  // CREATE DATABASE refuses to be in a transaction, so the lock is of a session: this one, as the pool has one connection.
  await server.query("SELECT pg_advisory_lock($1)", [TEMPLATE_LOCK]);
  if (!(await isThere(server, name))) await makeTemplate(server, serverUrl, name);
  await server.query("SELECT pg_advisory_unlock($1)", [TEMPLATE_LOCK]);
  return name;
}

/** Renamed when it is complete, so that one that a killed run left unfinished is never copied. */
async function makeTemplate(db: Database, serverUrl: string, name: string): Promise<void> {
  const unfinished = `${name}_new`;
  await db.query(`DROP DATABASE IF EXISTS ${unfinished} WITH (FORCE)`);
  await db.query(`CREATE DATABASE ${unfinished}`);
  await migrate({ url: withDatabase(serverUrl, unfinished), logger: silentLogger });
  await db.query(`ALTER DATABASE ${unfinished} RENAME TO ${name}`);
}

async function isThere(db: Database, name: string): Promise<boolean> {
  const { rowCount } = await db.query("SELECT 1 FROM pg_database WHERE datname = $1", [name]);
  return rowCount === 1;
}

async function onServer<T>(url: string, work: (db: Database) => Promise<T>): Promise<T> {
  await using db = await connectPostgres({ url, logger: silentLogger, maxConnections: 1 });
  return await work(db);
}

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Tables of packs apart, whose rows are files. */
const TABLES_SAID = `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
  AND relname NOT IN ('packs', 'blobs', 'blob_parts')`;

/** What the database would show to who may read it: states, runs and their messages, and that credentials are sealed. */
async function keepRows(database: Database): Promise<void> {
  if (!keepsEvidence()) return;
  const { rows: tables } = await database.query<{ name: string }>(TABLES_SAID);
  if (tables.length === 0) return;
  const selects = tables.map(({ name }) => `SELECT '${name}' AS name, to_json(each)::text AS text FROM ${name} AS each`);
  const { rows } = await database.query<{ name: string; text: string }>(selects.join(" UNION ALL "));
  for (const { name } of tables) {
    const said = rows.filter((row) => row.name === name).map(({ text }) => text);
    if (said.length > 0) keepSaid(`the table ${name}`, said.join("\n"));
  }
}
