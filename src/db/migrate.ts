// Brings a database's schema to the program's: forward only, each migration in its own transaction under one advisory
// lock, so that any number of processes may start at once. What was applied is recorded with a checksum; a database
// that does not fit the program is refused, never guessed at. One that is ahead fits as long as no migration says that it
// needs a newer program: replicas of two releases work side by side during an upgrade, and after a rollback.

import { setTimeout } from "node:timers/promises";
import { CoregitError } from "../domain/errors.ts";
import type { Logger } from "../domain/log.ts";
import type { Queryable, Transaction } from "./database.ts";
import { type Migration, readMigrations } from "./migration-files.ts";
import { connectPostgres } from "./postgres.ts";

export type MigrateOptions = {
  /** `postgres://…`; the role must be allowed to create tables. */
  readonly url: string;
  readonly logger: Logger;
  /** Default: the program's own migrations. */
  readonly directory?: string;
};

type Applied = Pick<Migration, "version" | "name" | "checksum" | "needs">;

export type SchemaState =
  /** It has the program's migrations, and perhaps newer ones that need no newer program. */
  | { readonly kind: "current" }
  /** Migrations are missing; `pending` of them. */
  | { readonly kind: "behind"; readonly pending: number }
  /** The database cannot be used with this program; `reason` is a sentence. */
  | { readonly kind: "refused"; readonly reason: string };

/** Any constant: advisory locks of one database share a number space, and nothing else here takes one by this number. */
const LOCK_KEY = 7_302_417_811;

const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS schema_migrations (
  version    integer PRIMARY KEY,
  name       text NOT NULL,
  checksum   text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  needs      integer NOT NULL DEFAULT 0
)`;
/** For databases of before there was `needs`, which `readApplied` therefore does not take for granted. */
const ADD_NEEDS = "ALTER TABLE schema_migrations ADD COLUMN IF NOT EXISTS needs integer NOT NULL DEFAULT 0";

/**
 * Applies what is missing and resolves to the names of the migrations applied by this call. Safe to repeat and to run in
 * several processes at once: each migration is applied by exactly one of them, the others wait.
 * @throws CoregitError `DatabaseUnsupported` when an applied migration differs from the program's or the database is newer.
 */
export async function migrate(options: MigrateOptions): Promise<readonly string[]> {
  const migrations = await readMigrations(options.directory);
  // No deadline on statements: a migration of a large table, or the wait for one elsewhere, takes the time it takes.
  const { url, logger } = options;
  await using db = await connectPostgres({
    url,
    logger,
    applicationName: "coregit migrate",
    maxConnections: 1,
    statementTimeoutMs: 0,
  });
  const names: string[] = [];
  // Apart from the migrations: it locks the table against reading, and processes that run read it at each probe.
  await db.transaction(prepareTable);
  for (;;) {
    const applied = await db.transaction((tx) => applyNext(tx, migrations));
    if (applied === null) return names;
    logger.info({ migration: applied.name }, "Applied a schema migration.");
    names.push(applied.name);
  }
}

/** How the schema of `db` relates to the program's; writes nothing. */
export async function schemaState(db: Queryable): Promise<SchemaState> {
  const { rows } = await db.query("SELECT to_regclass('schema_migrations') IS NOT NULL AS present");
  const applied = rows[0]?.present === true ? await readApplied(db) : [];
  return compareSchema(await readMigrations(), applied);
}

/** Why the program cannot work on this schema, as a sentence; null when it can. Never throws. */
export async function schemaProblem(db: Queryable): Promise<string | null> {
  try {
    const state = await schemaState(db);
    if (state.kind === "current") return null;
    return state.kind === "behind" ? `${state.pending} schema migrations are missing; run "coregit migrate".` : state.reason;
  } catch (error) {
    return error instanceof CoregitError ? error.message : "The schema cannot be read.";
  }
}

const SCHEMA_RETRY_MS = 1_000;

/** Waits until the database answers and has the program's schema; false when `signal` came first. */
export async function waitForSchema(db: Queryable, logger: Logger, signal: AbortSignal): Promise<boolean> {
  let said: string | null = null;
  while (!signal.aborted) {
    const reason = await schemaProblem(db);
    if (reason === null) return true;
    if (reason !== said) logger.warn({ reason }, "Waiting for the database.");
    said = reason;
    await setTimeout(SCHEMA_RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

async function prepareTable(tx: Transaction): Promise<void> {
  await tx.query("SELECT pg_advisory_xact_lock($1)", [LOCK_KEY]);
  await tx.query(CREATE_TABLE);
  await tx.query(ADD_NEEDS);
}

async function applyNext(tx: Transaction, migrations: readonly Migration[]): Promise<Migration | null> {
  await tx.query("SELECT pg_advisory_xact_lock($1)", [LOCK_KEY]);
  const applied = await readApplied(tx);
  const state = compareSchema(migrations, applied);
  if (state.kind === "refused") throw new CoregitError("DatabaseUnsupported", state.reason);
  const next = migrations[applied.length];
  if (next === undefined) return null;
  await tx.query(next.sql);
  const { version, name, checksum, needs } = next;
  const values = [version, name, checksum, needs];
  await tx.query("INSERT INTO schema_migrations (version, name, checksum, needs) VALUES ($1, $2, $3, $4)", values);
  return next;
}

async function readApplied(db: Queryable): Promise<readonly Applied[]> {
  const { rows } = await db.query<Applied>(
    `SELECT version, name, checksum, COALESCE((to_jsonb(m)->>'needs')::integer, 0) AS needs
     FROM schema_migrations m ORDER BY version`,
  );
  return rows;
}

function compareSchema(migrations: readonly Migration[], applied: readonly Applied[]): SchemaState {
  const tooNew = applied.slice(migrations.length).find(({ needs }) => needs > migrations.length);
  if (tooNew !== undefined) {
    return {
      kind: "refused",
      reason: `The database is newer than this program: it has migration ${tooNew.name}. Run a newer version.`,
    };
  }
  const changed = applied.slice(0, migrations.length).find((entry, index) => entry.checksum !== migrations[index]?.checksum);
  if (changed !== undefined) {
    const reason = `Migration ${changed.name} was applied to the database with a content that differs from this program's.`;
    return { kind: "refused", reason };
  }
  const pending = Math.max(0, migrations.length - applied.length);
  return pending === 0 ? { kind: "current" } : { kind: "behind", pending };
}
