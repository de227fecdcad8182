// Keeps the server running: one that ends without being asked to (killed for memory, by hand) is started again on the
// same port, so that the URL given out stays right. Clients reconnect by themselves.

import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "../../domain/log.ts";
import { isServerOf } from "./pid-file.ts";
import { type RunningServer, stopServer } from "./server.ts";

export type KeeperOptions = {
  readonly clusterDir: string;
  readonly logger: Logger;
  /** Starts the server again on `port`. */
  readonly restart: (port: number, signal: AbortSignal) => Promise<RunningServer>;
};

const CHECK_INTERVAL_MS = 500;

export class ServerKeeper implements AsyncDisposable {
  readonly #options: KeeperOptions;
  readonly #closing = new AbortController();
  readonly #watch: Promise<void>;
  #server: RunningServer;

  constructor(server: RunningServer, options: KeeperOptions) {
    this.#server = server;
    this.#options = options;
    this.#watch = this.#watchServer();
  }

  /** Shuts the server down for good. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#watch;
    await stopServer(this.#server, this.#options.clusterDir);
  }

  async #watchServer(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      // Without `ref: false` the watch alone would keep a program alive that has nothing left to do.
      await pause(CHECK_INTERVAL_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted && !(await isServerOf(this.#server.pid, this.#options.clusterDir))) await this.#restart(signal);
    }
  }

  async #restart(signal: AbortSignal): Promise<void> {
    const { logger, restart } = this.#options;
    logger.warn({ pid: this.#server.pid }, "The embedded database ended unexpectedly and is started again.");
    try {
      this.#server = await restart(this.#server.port, signal);
    } catch (error) {
      if (!signal.aborted)
        logger.error({ err: error }, "The embedded database could not be started again; the next attempt follows.");
    }
  }
}
