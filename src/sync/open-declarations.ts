// The rows as the one place where declarations meet, whoever makes them.
import type { SealingKeys } from "../db/credential-seal.ts";
import type { Database } from "../db/database.ts";
import { listSyncStatuses, readSyncStatus } from "../db/sync-status.ts";
import { CoregitError } from "../domain/errors.ts";
import type { RepositoryStore } from "../repositories/store.ts";
import type { Declarations } from "./declarations.ts";
import { declareConnection, withdrawConnection } from "./declare-connection.ts";
import { declareRepository, withdrawRepository } from "./declare-repository.ts";
import { declareSync, withdrawSync } from "./declare-sync.ts";

export type DeclarationsOptions = {
  readonly database: Database;
  readonly store: RepositoryStore;
  /** Seal and open credentials. Empty: connections with credentials are refused. */
  readonly keys: SealingKeys;
};

export function openDeclarations({ database, store, keys }: DeclarationsOptions): Declarations {
  return {
    async declareSync(declaration) {
      const status = await readSyncStatus(database, await declareSync(database, declaration));
      if (status === null) throw new CoregitError("SyncNotFound", "The sync was removed while it was being declared.");
      return status;
    },
    withdrawSync: (owner, namespace, name) => withdrawSync(database, owner, namespace, name),
    declareConnection: (declaration) => declareConnection(database, keys, declaration),
    withdrawConnection: (owner, namespace, name) => withdrawConnection(database, owner, namespace, name),
    declareRepository: (declaration) => declareRepository(database, declaration),
    withdrawRepository: (owner, namespace, slug) => withdrawRepository(database, store, { owner, namespace, slug }),
    readSync: (id) => readSyncStatus(database, id),
    listSyncs: (filter) => listSyncStatuses(database, filter ?? {}),
  };
}
