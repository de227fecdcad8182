// Keeps the rows what a folder of manifests says: reads it at the start and whenever it changes, declares what is new or
// different, withdraws what is gone. Level-based: each pass reads the whole folder, so a lost notification or a failed
// pass is made good by the next one. Problems are kept for whoever shows them and logged once each.
import { setTimeout as delay } from "node:timers/promises";
import { type CoregitError, retryKind, toCoregitError } from "../domain/errors.ts";
import type { Logger } from "../domain/log.ts";
import type { Catalog } from "../sync/catalog.ts";
import type { Declarations } from "../sync/declarations.ts";
import { applyDeclaration, withdraw } from "./apply-manifest.ts";
import { readDeclaredKeys } from "./declared-rows.ts";
import { watchFolder } from "./folder-watch.ts";
import { describeProblem, type ManifestKey, type ManifestProblem } from "./manifest.ts";
import { type Applied, planManifestChanges } from "./manifest-changes.ts";
import { readManifestFolder } from "./manifest-folder.ts";
import { type DeclaredManifest, readManifestSet } from "./manifest-set.ts";

export type ManifestsOptions = {
  readonly folder: string;
  readonly declarations: Declarations;
  readonly catalog: Catalog;
  readonly logger: Logger;
};

export interface Manifests extends AsyncDisposable {
  /** What is wrong with the folder as it was read last. */
  readonly problems: readonly ManifestProblem[];
}

/** Editors write in several steps: a pass begins this long after the first notification. */
const SETTLE_MS = 100;
/** Something is withdrawn when it is gone for this long: an editor may remove a file and write it again. */
const CONFIRM_MS = 300;
/** After a pass that failed for a reason that may pass, and while the folder is missing or cannot be watched. */
const RETRY_MS = 1_000;

/**
 * Applies the folder once, then follows it until disposed. What cannot be applied is a problem, not a failure.
 * @throws CoregitError `InvalidSpec` when the folder cannot be read at the start, `DatabaseUnavailable`.
 */
export async function openManifests(options: ManifestsOptions): Promise<Manifests> {
  const follower = new Follower(options);
  try {
    await follower.start();
  } catch (error) {
    await follower[Symbol.asyncDispose]();
    throw error;
  }
  return follower;
}

type Outcome = "settled" | "confirm" | "retry";

class Follower implements Manifests {
  readonly #options: ManifestsOptions;
  readonly #applied = new Map<ManifestKey, Applied>();
  readonly #stop = new AbortController();
  #gone: ReadonlySet<ManifestKey> = new Set();
  #problems: readonly ManifestProblem[] = [];
  #watch: AsyncDisposable | null = null;
  #wake = Promise.withResolvers<void>();
  #loop: Promise<void> = Promise.resolve();

  constructor(options: ManifestsOptions) {
    this.#options = options;
  }

  get problems(): readonly ManifestProblem[] {
    return this.#problems;
  }

  async start(): Promise<void> {
    const { folder, declarations, catalog } = this.#options;
    await readManifestFolder(folder);
    for (const key of await readDeclaredKeys(declarations, catalog)) this.#applied.set(key, { fingerprint: null, file: null });
    // Watched before it is read, so that no change falls between the two.
    await this.#openWatch();
    this.#loop = this.#follow(await this.#pass());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#wake.resolve();
    await this.#loop;
    await this.#closeWatch();
  }

  async #follow(first: Outcome): Promise<void> {
    let outcome = first;
    while (await this.#pause(outcome)) {
      if (this.#watch === null) await this.#openWatch();
      outcome = await this.#pass();
    }
  }

  /** Waits for what the last outcome asks for. False: disposed. */
  async #pause(outcome: Outcome): Promise<boolean> {
    const { signal } = this.#stop;
    const isWatching = this.#watch !== null;
    if (outcome === "settled" && isWatching) await this.#wake.promise;
    const pauseMs = outcome === "confirm" ? CONFIRM_MS : outcome === "retry" || !isWatching ? RETRY_MS : SETTLE_MS;
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    this.#wake = Promise.withResolvers();
    return !signal.aborted;
  }

  async #openWatch(): Promise<void> {
    const { folder, logger } = this.#options;
    this.#watch = await watchFolder(folder, {
      onChange: () => this.#wake.resolve(),
      onLost: (err) => {
        logger.warn({ err, folder }, "The manifests folder is not watched any more; it is read again until it is.");
        void this.#closeWatch();
        this.#wake.resolve();
      },
    });
  }

  async #closeWatch(): Promise<void> {
    const watch = this.#watch;
    this.#watch = null;
    await watch?.[Symbol.asyncDispose]();
  }

  async #pass(): Promise<Outcome> {
    try {
      return await this.#apply();
    } catch (err) {
      this.#show([{ file: this.#options.folder, line: null, field: null, message: toCoregitError(err).message }]);
      // The folder may come back as another one, which the old watch would not see.
      await this.#closeWatch();
      return "retry";
    }
  }

  async #apply(): Promise<Outcome> {
    const set = readManifestSet(await readManifestFolder(this.#options.folder));
    const changes = planManifestChanges(set, this.#applied);
    // A document that moved to another file unchanged: from now on that file answers for it.
    for (const { key, fingerprint, file } of set.declared.values()) {
      if (this.#applied.get(key)?.fingerprint === fingerprint) this.#applied.set(key, { fingerprint, file });
    }
    const refused: ManifestProblem[] = [];
    let isRetryNeeded = false;
    for (const manifest of changes.declare) {
      const error = await this.#declare(manifest);
      if (error === null) continue;
      refused.push({ file: manifest.file, line: manifest.line, field: null, message: error.message });
      isRetryNeeded ||= retryKind(error.code) !== "terminal";
    }
    for (const key of changes.withdraw.filter((candidate) => this.#gone.has(candidate))) {
      await withdraw(this.#options.declarations, key);
      this.#applied.delete(key);
      this.#options.logger.info({ manifest: key }, "Manifest withdrawn.");
    }
    this.#gone = new Set(changes.withdraw.filter((key) => this.#applied.has(key)));
    this.#show([...set.problems, ...refused]);
    if (isRetryNeeded) return "retry";
    return this.#gone.size > 0 ? "confirm" : "settled";
  }

  async #declare(manifest: DeclaredManifest): Promise<CoregitError | null> {
    const { key, fingerprint, file } = manifest;
    try {
      await applyDeclaration(this.#options.declarations, manifest);
    } catch (err) {
      const error = toCoregitError(err);
      if (error.code === "Internal") this.#options.logger.error({ err, manifest: key }, "A manifest could not be applied.");
      return error;
    }
    this.#applied.set(key, { fingerprint, file });
    this.#options.logger.info({ manifest: key, file }, "Manifest applied.");
    return null;
  }

  #show(problems: readonly ManifestProblem[]): void {
    const known = new Set(this.#problems.map(describeProblem));
    for (const text of problems.map(describeProblem)) {
      if (!known.has(text)) this.#options.logger.warn(text);
    }
    this.#problems = problems;
  }
}
