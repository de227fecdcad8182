// The rows as the one place where declarations meet, whoever makes them.
import type { SealingKeys } from "../db/credential-seal.ts";
import type { Database } from "../db/database.ts";
import { listSyncStatuses, readSyncStatuses } from "../db/sync-status.ts";
import { findDeclaredSyncs, type SyncName } from "../db/syncs.ts";
import { noTracer, type Tracer } from "../domain/tracer.ts";
import type { RepositoryStore } from "../repositories/store.ts";
import type { Declarations } from "./declarations.ts";
import { declareConnection, withdrawConnection } from "./declare-connection.ts";
import { declareNewSyncs } from "./declare-new-syncs.ts";
import { declareRepository, withdrawRepository } from "./declare-repository.ts";
import { declareSync, withdrawSync } from "./declare-sync.ts";
import { Together } from "./together.ts";

/** Rows of one statement. */
const MOST_TOGETHER = 64;

export type DeclarationsOptions = {
  readonly database: Database;
  readonly store: RepositoryStore;
  /** Seal and open credentials. Empty: connections with credentials are refused. */
  readonly keys: SealingKeys;
  /** Default: no traces. */
  readonly tracer?: Tracer;
};

export function openDeclarations({ database, store, keys, tracer = noTracer }: DeclarationsOptions): Declarations {
  const cause = (): string | null => tracer.current()?.traceparent ?? null;
  const declared = new Together((names: readonly SyncName[]) => findDeclaredSyncs(database, names), MOST_TOGETHER);
  const syncRows = { database, find: (name: SyncName) => declared.ask(name), declareNew: declareNewSyncs(database) };
  const statuses = new Together((ids: readonly string[]) => readSyncStatuses(database, ids), MOST_TOGETHER);
  return {
    declareSync: (declaration) => declareSync(syncRows, declaration, cause()),
    withdrawSync: (owner, namespace, name) => withdrawSync(database, owner, namespace, name),
    declareConnection: (declaration) => declareConnection(database, keys, declaration, cause()),
    withdrawConnection: (owner, namespace, name) => withdrawConnection(database, owner, namespace, name),
    declareRepository: (declaration) => declareRepository(database, declaration),
    withdrawRepository: (owner, namespace, slug) => withdrawRepository(database, store, { owner, namespace, slug }),
    readSync: (id) => statuses.ask(id),
    listSyncs: (filter) => listSyncStatuses(database, filter ?? {}),
  };
}
