// The port to PostgreSQL. Query files take a `Queryable`; only `Database.transaction` opens transactions.

/** One row as pg returns it; query functions map it to a named type. */
export type Row = Readonly<Record<string, unknown>>;

export interface Queryable {
  /**
   * Runs one statement with positional parameters.
   * @throws CoregitError `DatabaseUnavailable` when the server cannot be reached; pg's own error, with its
   *   SQLSTATE as `code`, for a statement that the server refused.
   * `preparedAs` names a statement that is run so often that planning it each time costs more than it does: each
   *   connection keeps it planned under that name, which belongs to this one text.
   */
  query<R extends Row = Row>(
    text: string,
    values?: readonly unknown[],
    preparedAs?: string,
  ): Promise<{ readonly rows: R[]; readonly rowCount: number }>;
}

declare const inTransaction: unique symbol;

/** A `Queryable` inside an open transaction; only functions that need atomicity ask for one. */
export interface Transaction extends Queryable {
  readonly [inTransaction]: true;
}

/** A statement for itself that the server ended to resolve a deadlock is repeated; one in a transaction is not. */
export interface Database extends Queryable, AsyncDisposable {
  /**
   * BEGIN, `work`, COMMIT; ROLLBACK when `work` throws. Not repeated on failure. An error while the COMMIT
   * is on its way means that the outcome is unknown: callers settle it by reading.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * LISTEN on `channel` over one connection shared by all listeners, which reconnects by itself.
   * `onMessage` gets each payload; `onGap` runs after each reconnection, when notifications may have been missed.
   */
  listen(channel: string, handlers: { onMessage(payload: string): void; onGap(): void }): Promise<AsyncDisposable>;
  /** True when the last round trip or a fresh `SELECT 1` within `timeoutMs` succeeded. Never throws. */
  isReachable(timeoutMs: number): Promise<boolean>;
}

/** NOTIFY channels. Payloads are ids; listeners read the row. */
export const CHANNELS = {
  /** A sync became due sooner; payload: sync id. */
  syncDue: "coregit_sync_due",
  /** What a sync shows (status, last error, sync point) changed; payload: sync id. */
  syncChanged: "coregit_sync_changed",
  /** A run ended, or a trigger was settled; payload: sync id. */
  runEnded: "coregit_run_ended",
  /** A ref of a repository moved; payload: repository id. */
  refMoved: "coregit_ref_moved",
  /** A connection's check or credential changed; payload: connection id. */
  connectionChanged: "coregit_connection_changed",
  /** What a sync wants of its webhook, or what is known of it, may have changed; payload: sync id. */
  webhookDue: "coregit_webhook_due",
} as const;
