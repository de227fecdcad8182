// How every connection to PostgreSQL is made: names, deadlines, keep-alive and value parsing.

import pg from "pg";

export type ConnectionSettings = {
  /** `postgres://…`, as COREGIT_DATABASE_URL. */
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** The server ends a statement after this long; 0: never. */
  readonly statementTimeoutMs: number;
  /** A transaction whose process hangs for as long is ended, and gives its locks back. */
  readonly idleInTransactionMs: number;
};

/** A connection that takes longer than this to make, or to get from the pool, is a failure. */
const CONNECT_TIMEOUT_MS = 10_000;

/** The client gives up this long after the server should have: then the connection is dead, not slow. */
const ANSWER_GRACE_MS = 5_000;

/** An idle connection is probed after this long, so that one that a firewall dropped is noticed before it is used. */
const KEEP_ALIVE_DELAY_MS = 10_000;

const INT8_OID = 20;

export function clientSettings(settings: ConnectionSettings): pg.ClientConfig {
  const bounded = settings.statementTimeoutMs > 0;
  return {
    connectionString: settings.url,
    application_name: settings.applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: bounded ? settings.statementTimeoutMs : false,
    ...(bounded ? { query_timeout: settings.statementTimeoutMs + ANSWER_GRACE_MS } : {}),
    idle_in_transaction_session_timeout: settings.idleInTransactionMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    types: { getTypeParser: parserFor },
  };
}

/**
 * bigint columns (sizes, versions, epochs, count(*)) are numbers: none of them comes near 2^53, and one that does is
 * an error rather than a wrong number. All other types are as pg has them: timestamptz is a Date, or ±Infinity.
 */
function parserFor(oid: number, format?: "text" | "binary") {
  if (oid === INT8_OID && format !== "binary") return parseInt8;
  return pg.types.getTypeParser(oid, format);
}

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit a number`);
  return value;
}
