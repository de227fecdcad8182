// One connection that listens for notifications, and finds out by itself when it is dead: a statement that gets no
// answer in time ends it.

import pg from "pg";
import { type ConnectionSettings, clientSettings } from "./client-settings.ts";
import { translateDatabaseError } from "./connection-errors.ts";
import { Session } from "./session.ts";

export type ListenConnectionOptions = {
  readonly settings: ConnectionSettings;
  /** How often the server is asked for a sign of life. */
  readonly checkIntervalMs: number;
  readonly onMessage: (channel: string, payload: string) => void;
  /** Called once, when the connection is gone. */
  readonly onEnd: (connection: ListenConnection) => void;
};

/** LISTEN and the check are trivial statements: no answer for this long means a dead connection. */
const ANSWER_TIMEOUT_MS = 5_000;

export class ListenConnection {
  readonly #client: pg.Client;
  readonly #session: Session;

  /** @throws CoregitError `DatabaseUnavailable` */
  static async open(options: ListenConnectionOptions): Promise<ListenConnection> {
    const client = new pg.Client({ ...clientSettings(options.settings), query_timeout: ANSWER_TIMEOUT_MS });
    client.on("error", () => undefined);
    try {
      await client.connect();
    } catch (error) {
      throw translateDatabaseError(error);
    }
    return new ListenConnection(client, options);
  }

  private constructor(client: pg.Client, { checkIntervalMs, onMessage, onEnd }: ListenConnectionOptions) {
    this.#client = client;
    this.#session = new Session(client);
    client.on("notification", ({ channel, payload }) => onMessage(channel, payload ?? ""));
    let isChecking = false;
    const check = setInterval(async () => {
      if (isChecking) return;
      isChecking = true;
      await this.#run("SELECT 1").catch(() => undefined);
      isChecking = false;
    }, checkIntervalMs);
    check.unref();
    client.once("end", () => {
      clearInterval(check);
      onEnd(this);
    });
  }

  /** Resolves once the server sends what is notified on `channel`. @throws CoregitError `DatabaseUnavailable`, and the connection ends. */
  async listen(channel: string): Promise<void> {
    await this.#run(`LISTEN ${this.#client.escapeIdentifier(channel)}`);
  }

  /** Also cuts a connection that does not answer. */
  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }

  async #run(statement: string): Promise<void> {
    try {
      await this.#session.query(statement);
    } catch (error) {
      void this.close();
      throw error;
    }
  }
}
