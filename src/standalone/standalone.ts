// What standalone adds to the engine and HTTP: a folder of manifests as the front door, and a file by which client
// commands find it. The lock on the data directory comes earlier (data-dir-lock.ts), before the database is opened.
import type { Logger } from "../domain/log.ts";
import type { Catalog } from "../sync/catalog.ts";
import type { Declarations } from "../sync/declarations.ts";
import { announceInstance } from "./instance-file.ts";
import { describeProblem } from "./manifest.ts";
import { openManifests } from "./manifests.ts";

export type StandaloneOptions = {
  /** Absolute. */
  readonly dataDir: string;
  /** Folder of manifests; null: declarations come by other doors only. */
  readonly manifestsFolder: string | null;
  /** Where HTTP answers, for client commands. */
  readonly url: string;
  readonly declarations: Declarations;
  readonly catalog: Catalog;
  readonly logger: Logger;
};

export interface Standalone extends AsyncDisposable {
  /** What is wrong with the manifests now, a line each: `app.yaml:6: spec.remote: is required.` */
  problems(): readonly string[];
}

/**
 * Applies the manifests once, announces the instance, and follows the folder until disposed. Call it when HTTP answers.
 * @throws CoregitError `InvalidSpec` when the folder cannot be read.
 */
export async function openStandalone(options: StandaloneOptions): Promise<Standalone> {
  await using stack = new AsyncDisposableStack();
  const folder = options.manifestsFolder;
  const manifests = folder === null ? null : stack.use(await openManifests({ ...options, folder }));
  stack.use(await announceInstance(options.dataDir, { url: options.url, pid: process.pid }));
  const owned = stack.move();
  return {
    problems: () => manifests?.problems.map(describeProblem) ?? [],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
