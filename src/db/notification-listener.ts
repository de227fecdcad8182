// LISTEN over one dedicated connection that all channels share. When it breaks, or stops answering its periodic
// check, it is replaced: connect with growing pauses, LISTEN on every channel again, then tell all listeners that
// they may have missed something. Channels are few and fixed, so none is ever given up before disposal.

import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { CoregitError } from "../domain/errors.ts";
import type { Logger } from "../domain/log.ts";
import { type ConnectionSettings, clientSettings } from "./client-settings.ts";
import { translateDatabaseError } from "./connection-errors.ts";

export type NotificationHandlers = { onMessage(payload: string): void; onGap(): void };

export type NotificationListenerOptions = {
  readonly settings: ConnectionSettings;
  readonly logger: Logger;
  readonly checkIntervalMs: number;
};

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** LISTEN and the check are trivial statements: no answer for this long means a dead connection. */
const ANSWER_TIMEOUT_MS = 5_000;

export class NotificationListener implements AsyncDisposable {
  readonly #options: NotificationListenerOptions;
  readonly #channels = new Map<string, Set<NotificationHandlers>>();
  readonly #closing = new AbortController();
  /** The connection, being made or made; null before the first listener and while reconnecting. */
  #client: Promise<pg.Client> | null = null;
  #reconnection: Promise<void> | null = null;

  constructor(options: NotificationListenerOptions) {
    this.#options = options;
  }

  /**
   * Resolves once the server sends notifications of `channel`; while a lost connection is being replaced, at once.
   * @throws CoregitError `DatabaseUnavailable` when the first connection cannot be made.
   */
  async listen(channel: string, handlers: NotificationHandlers): Promise<AsyncDisposable> {
    if (this.#closing.signal.aborted) throw new CoregitError("DatabaseUnavailable", "The database connection is closed.");
    // A copy, so that one handlers object can be registered twice.
    const own: NotificationHandlers = { onMessage: (payload) => handlers.onMessage(payload), onGap: () => handlers.onGap() };
    const listeners = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, listeners.add(own));
    try {
      await this.#subscribe(channel);
    } catch (error) {
      listeners.delete(own);
      throw translateDatabaseError(error);
    }
    return {
      async [Symbol.asyncDispose]() {
        listeners.delete(own);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#channels.clear();
    await this.#reconnection;
    const client = await this.#client?.catch(() => null);
    this.#client = null;
    await client?.end().catch(() => undefined);
  }

  async #subscribe(channel: string): Promise<void> {
    if (this.#reconnection !== null) return;
    this.#client ??= this.#connect();
    const connecting = this.#client;
    try {
      await listenOn(await connecting, channel);
    } catch (error) {
      // A connection that was there and broke is replaced in the background, LISTEN on this channel included.
      if (this.#reconnection !== null) return;
      if (this.#client === connecting) this.#client = null;
      throw error;
    }
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ ...clientSettings(this.#options.settings), query_timeout: ANSWER_TIMEOUT_MS });
    client.on("error", () => undefined);
    client.on("notification", ({ channel, payload }) => this.#deliver(channel, payload ?? ""));
    await client.connect();
    const check = setInterval(() => this.#check(client), this.#options.checkIntervalMs);
    check.unref();
    client.once("end", () => {
      clearInterval(check);
      this.#replace();
    });
    return client;
  }

  #check(client: pg.Client): void {
    client.query("SELECT 1").catch(() => {
      this.#options.logger.warn("The database connection for notifications does not answer and is replaced.");
      breakOff(client);
    });
  }

  #replace(): void {
    if (this.#closing.signal.aborted || this.#reconnection !== null) return;
    this.#client = null;
    this.#reconnection = this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#closing;
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      await pause(pauseMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted && (await this.#tryReconnect())) return;
    }
    this.#reconnection = null;
  }

  async #tryReconnect(): Promise<boolean> {
    let client: pg.Client | null = null;
    try {
      client = await this.#connect();
      for (const channel of this.#channels.keys()) await listenOn(client, channel);
    } catch (error) {
      this.#options.logger.debug({ err: error }, "The database connection for notifications could not be made again.");
      if (client !== null) breakOff(client);
      return false;
    }
    // From here on `listen` uses the new connection; a listener called below may call it.
    this.#client = Promise.resolve(client);
    this.#reconnection = null;
    for (const listeners of this.#channels.values()) {
      for (const { onGap } of listeners) this.#call(onGap);
    }
    return true;
  }

  #deliver(channel: string, payload: string): void {
    for (const { onMessage } of this.#channels.get(channel) ?? []) this.#call(() => onMessage(payload));
  }

  /** A listener that throws must neither end the process nor keep the others from hearing. */
  #call(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      this.#options.logger.error({ err: error }, "A listener for database notifications failed.");
    }
  }
}

/** Ends the connection without waiting for an answer; a connection with a statement under way is cut. */
function breakOff(client: pg.Client): void {
  client.end().catch(() => undefined);
}

async function listenOn(client: pg.Client, channel: string): Promise<void> {
  await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
}
