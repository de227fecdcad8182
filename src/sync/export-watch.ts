// Automatic exports: every change of a local branch, however it was made, makes them due. Notifications only say where to
// look; what counts is that a branch is not where its export last saw it, so what happened while nobody listened is found
// at the start and after each gap. Many changes at once are one look.
import { CHANNELS, type Database } from "../db/database.ts";
import { makeExportsDue } from "../db/export-schedule.ts";
import type { Logger } from "../domain/log.ts";
import { pause } from "./pause.ts";

/** While the database is away it is asked again at this pace. */
const RETRY_MS = 1000;

export type ExportWatchOptions = { readonly database: Database; readonly logger: Logger };

/** Resolves when changes are being listened for. Disposal ends a look that is under way. */
export async function watchExports(options: ExportWatchOptions): Promise<AsyncDisposable> {
  const watch = new ExportWatch(options);
  await watch.start();
  return watch;
}

class ExportWatch implements AsyncDisposable {
  readonly #options: ExportWatchOptions;
  readonly #stop = new AbortController();
  /** Repositories to look at; null: all. */
  #pending: Set<string> | null = new Set();
  #looking: Promise<void> | null = null;
  #listener: AsyncDisposable | null = null;

  constructor(options: ExportWatchOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#listener = await this.#options.database.listen(CHANNELS.refMoved, {
      onMessage: (repositoryId) => this.#note(repositoryId),
      onGap: () => this.#note(null),
    });
    this.#note(null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#listener?.[Symbol.asyncDispose]();
    await this.#looking;
  }

  #note(repositoryId: string | null): void {
    if (repositoryId === null) this.#pending = null;
    else this.#pending?.add(repositoryId);
    this.#looking ??= this.#look();
  }

  /** Looks until nothing is left to look at. */
  async #look(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted && (this.#pending === null || this.#pending.size > 0)) {
      const repositoryIds = this.#pending === null ? null : [...this.#pending];
      this.#pending = new Set();
      try {
        await makeExportsDue(this.#options.database, repositoryIds);
      } catch (error) {
        this.#options.logger.warn({ err: error }, "Exports could not be made due; trying again.");
        this.#pending = null;
        await pause(RETRY_MS, signal);
      }
    }
    this.#looking = null;
  }
}
