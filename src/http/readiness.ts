// Whether this process can do its work, asked of its dependencies at each probe.
import type { Database } from "../db/database.ts";
import { schemaProblem } from "../db/migrate.ts";
import { CoregitError } from "../domain/errors.ts";
import type { DependencyCheck, Readiness } from "./ports.ts";

const DEADLINE_MS = 2_000;

export type ReadinessOptions = {
  readonly database: Database;
  /** Resolves when the blob store can be used, else throws. */
  readonly checkBlobStore: () => Promise<void>;
  /** What a role knows of itself. */
  readonly more?: () => readonly DependencyCheck[];
};

export function createReadiness({ database, checkBlobStore, more = () => [] }: ReadinessOptions): Readiness {
  const databaseReason = async (): Promise<string | null> =>
    (await database.isReachable(DEADLINE_MS)) ? await schemaProblem(database) : "The database cannot be reached.";
  const blobReason = (): Promise<string | null> =>
    checkBlobStore().then(
      () => null,
      (error: unknown) => (error instanceof CoregitError ? error.message : "The blob store cannot be used."),
    );
  return {
    async check() {
      const reason = await databaseReason();
      // Packs may be in the database, so without it the blob store says nothing of its own.
      const blobs = { name: "blob store", reason: reason === null ? await blobReason() : null };
      return [{ name: "database", reason }, blobs, ...more()];
    },
  };
}
