// LISTEN over one dedicated connection that all channels share. When it is lost it is replaced: connect with growing
// pauses, LISTEN on every channel again, then tell all listeners that they may have missed something. Channels are few
// and fixed, so none is ever given up before disposal.

import { setTimeout as pause } from "node:timers/promises";
import { CoregitError } from "../domain/errors.ts";
import type { Logger } from "../domain/log.ts";
import type { ConnectionSettings } from "./client-settings.ts";
import { ListenConnection } from "./listen-connection.ts";

export type NotificationHandlers = { onMessage(payload: string): void; onGap(): void };

export type NotificationListenerOptions = {
  readonly settings: ConnectionSettings;
  readonly logger: Logger;
  readonly checkIntervalMs: number;
};

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export class NotificationListener implements AsyncDisposable {
  readonly #options: NotificationListenerOptions;
  readonly #channels = new Map<string, Set<NotificationHandlers>>();
  readonly #closing = new AbortController();
  /** The first connection being made; later ones are made by `#reconnection`. */
  #opening: Promise<ListenConnection> | null = null;
  #current: ListenConnection | null = null;
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
      throw error;
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
    await this.#opening?.catch(() => undefined);
    await this.#reconnection;
    await this.#current?.close();
  }

  async #subscribe(channel: string): Promise<void> {
    // Its LISTEN on all channels, this one included, is still to come.
    if (this.#reconnection !== null) return;
    const connection = this.#current ?? (await this.#openFirst());
    // A connection that was there and is lost is replaced in the background.
    await connection.listen(channel).catch(() => this.#replace(connection));
  }

  async #openFirst(): Promise<ListenConnection> {
    this.#opening ??= this.#open();
    try {
      this.#current = await this.#opening;
      return this.#current;
    } finally {
      this.#opening = null;
    }
  }

  #open(): Promise<ListenConnection> {
    const { settings, checkIntervalMs } = this.#options;
    return ListenConnection.open({
      settings,
      checkIntervalMs,
      onMessage: (channel, payload) => this.#deliver(channel, payload),
      onEnd: (connection) => this.#replace(connection),
    });
  }

  #replace(lost: ListenConnection): void {
    if (this.#closing.signal.aborted || lost !== this.#current) return;
    this.#options.logger.warn("The database connection for notifications was lost and is replaced.");
    this.#current = null;
    this.#reconnection = this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#closing;
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      await pause(pauseMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted && (await this.#tryReconnect())) return;
    }
  }

  async #tryReconnect(): Promise<boolean> {
    try {
      const connection = await this.#open();
      for (const channel of this.#channels.keys()) await connection.listen(channel);
      this.#current = connection;
    } catch (error) {
      this.#options.logger.debug({ err: error }, "The database connection for notifications could not be made again.");
      return false;
    }
    // From here on `listen` uses the new connection; a listener called below may call it.
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
