// `Database` over node-postgres: a pool for statements and transactions, and one more connection for notifications.
// A connection that broke or did not answer is never given back to the pool.

import pg from "pg";
import { type Clock, systemClock } from "../domain/clock.ts";
import { CoregitError } from "../domain/errors.ts";
import type { Logger } from "../domain/log.ts";
import { type ConnectionSettings, clientSettings } from "./client-settings.ts";
import { translateDatabaseError } from "./connection-errors.ts";
import type { Database, Queryable, Row, Transaction } from "./database.ts";
import { NotificationListener } from "./notification-listener.ts";
import { checkServerVersion } from "./server-version.ts";
import { Session } from "./session.ts";

export type PostgresOptions = {
  /** `postgres://…`. */
  readonly url: string;
  readonly logger: Logger;
  /** Shown in pg_stat_activity; default `coregit`. */
  readonly applicationName?: string;
  /** Size of the pool, without the connection that listens; default 10. */
  readonly maxConnections?: number;
  /** Default 30 s; 0 for statements that may take any time. */
  readonly statementTimeoutMs?: number;
  /**
   * How long a transaction may wait for this process; default 20 s: less than a statement takes, so that who waits for the locks
   * of a process that hangs gets them rather than an error.
   */
  readonly idleInTransactionMs?: number;
  /** How often the listening connection is checked; default 30 s. */
  readonly listenerCheckIntervalMs?: number;
  readonly clock?: Clock;
};

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const DEADLOCK_DETECTED = "40P01";
/** A statement for itself that the server has ended so that others could go on was undone whole, and may come after them. */
const DEADLOCK_ATTEMPTS = 3;

/** A reachability answer this old is still good: probes come more often than this matters. */
const FRESH_ROUND_TRIP_MS = 1_000;

/**
 * Connects and checks that the server is PostgreSQL 14 or newer. The caller disposes the result.
 * @throws CoregitError `DatabaseUnavailable` when it cannot be reached, `DatabaseUnsupported` when it is too old.
 */
export async function connectPostgres(options: PostgresOptions): Promise<Database> {
  const database = openPostgres(options);
  try {
    await checkServerVersion(database);
    return database;
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

/** As `connectPostgres`, without waiting for the server: it may come later, and its version is the caller's to check. */
export function openPostgres(options: PostgresOptions): Database {
  return new PostgresDatabase(options);
}

class PostgresDatabase implements Database {
  readonly #pool: pg.Pool;
  readonly #listener: NotificationListener;
  readonly #clock: Clock;
  #lastRoundTripMs = Number.NEGATIVE_INFINITY;
  #disposal: Promise<void> | null = null;

  constructor(options: PostgresOptions) {
    const settings: ConnectionSettings = {
      url: options.url,
      applicationName: options.applicationName ?? "coregit",
      statementTimeoutMs: options.statementTimeoutMs ?? 30_000,
      idleInTransactionMs: options.idleInTransactionMs ?? 20_000,
    };
    this.#clock = options.clock ?? systemClock;
    this.#pool = new pg.Pool({ ...clientSettings(settings), max: options.maxConnections ?? 10, idleTimeoutMillis: 60_000 });
    // Without a listener an idle connection that breaks would end the process; the pool has dropped it already.
    this.#pool.on("error", (error) => options.logger.debug({ err: error }, "An idle database connection broke."));
    this.#listener = new NotificationListener({
      settings,
      logger: options.logger,
      checkIntervalMs: options.listenerCheckIntervalMs ?? 30_000,
    });
  }

  async query<R extends Row>(text: string, values?: readonly unknown[], preparedAs?: string) {
    const send = () => this.#withSession((session) => session.query<R>(text, values, preparedAs));
    for (let attempt = 1; attempt < DEADLOCK_ATTEMPTS; attempt += 1) {
      const result = await send().catch(passOverDeadlock);
      if (result !== null) return result;
    }
    return await send();
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return await this.#withSession((session) => runTransaction(session, work));
  }

  async listen(channel: string, handlers: { onMessage(payload: string): void; onGap(): void }): Promise<AsyncDisposable> {
    return await this.#listener.listen(channel, handlers);
  }

  async isReachable(timeoutMs: number): Promise<boolean> {
    const startedMs = this.#clock.monotonic();
    if (startedMs - this.#lastRoundTripMs < FRESH_ROUND_TRIP_MS) return true;
    const { promise: timedOut, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    const probe = this.query("SELECT 1").catch(() => undefined);
    await Promise.race([probe, timedOut]);
    clearTimeout(timer);
    // Any statement that came back meanwhile is an answer, also when the probe still waits for a free connection.
    return this.#lastRoundTripMs >= startedMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= Promise.all([this.#listener[Symbol.asyncDispose](), this.#pool.end()]).then(() => undefined);
    await this.#disposal;
  }

  async #withSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const client = await this.#checkout();
    const session = new Session(client);
    // Without a listener a connection that breaks between two statements would end the process.
    const onBroken = () => session.markLost();
    client.on("error", onBroken);
    try {
      return await work(session);
    } finally {
      if (!session.isLost) this.#lastRoundTripMs = this.#clock.monotonic();
      client.off("error", onBroken);
      client.release(session.isSpoilt);
    }
  }

  async #checkout(): Promise<pg.PoolClient> {
    if (this.#disposal !== null) throw new CoregitError("DatabaseUnavailable", "The database connection is closed.");
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }
}

function passOverDeadlock(error: unknown): null {
  if (error instanceof pg.DatabaseError && error.code === DEADLOCK_DETECTED) return null;
  throw error;
}

async function runTransaction<T>(session: Session, work: (tx: Transaction) => Promise<T>): Promise<T> {
  await session.query("BEGIN");
  let isOpen = true;
  const handle: Queryable = {
    async query<R extends Row>(text: string, values?: readonly unknown[], preparedAs?: string) {
      if (!isOpen) throw new CoregitError("Internal", "A statement was issued after its transaction had ended.");
      return await session.query<R>(text, values, preparedAs);
    },
  };
  try {
    const result = await work(handle as Transaction);
    isOpen = false;
    await commit(session);
    return result;
  } catch (error) {
    isOpen = false;
    // Without a rollback, or when it fails, the session stays inside the transaction and so is not used again.
    if (!session.isLost) await session.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/** The server answers COMMIT of a failed transaction with ROLLBACK and no error; that must not look like success. */
async function commit(session: Session): Promise<void> {
  const { command } = await session.query("COMMIT");
  if (command === "COMMIT") return;
  throw new CoregitError("Internal", "The transaction was rolled back because the failure of a statement in it was ignored.");
}
