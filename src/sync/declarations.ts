// The port by which declarations become rows. The operator, the manifests folder and the API all write through it,
// so a sync means the same however it was declared.
import type {
  ConnectionDeclaration,
  RepositoryDeclaration,
  RunSummary,
  SyncDeclaration,
  SyncStatus,
} from "../domain/declaration.ts";
import type { Owner } from "../domain/sync-spec.ts";

export type { ConnectionDeclaration, RepositoryDeclaration, RunSummary, SyncDeclaration, SyncStatus };

export interface Declarations {
  /**
   * Makes the row equal to the declaration. Idempotent: the same declaration again writes nothing. A change makes the sync
   * due at once, unless suspended; a changed remote, direction, branch, path or selection starts a new baseline.
   * @throws CoregitError `Managed` when another owner holds the name, `InvalidSpec`.
   */
  declareSync(declaration: SyncDeclaration): Promise<{ readonly id: string }>;
  /** Removes the sync that `owner` declared under this name, ends its run, keeps the repository and the history. Idempotent. */
  withdrawSync(owner: Owner, namespace: string, name: string): Promise<void>;
  declareConnection(declaration: ConnectionDeclaration): Promise<{ readonly id: string }>;
  withdrawConnection(owner: Owner, namespace: string, name: string): Promise<void>;
  /** @throws CoregitError `RepositoryExists` when another declared owner holds it; one made by a sync or the API is adopted. */
  declareRepository(declaration: RepositoryDeclaration): Promise<{ readonly id: string }>;
  /** Applies the declared deletion policy: Delete removes repository and syncs, Retain leaves it ownerless (API-owned). Idempotent. */
  withdrawRepository(owner: Owner, namespace: string, slug: string): Promise<void>;
  /** By id, or null. */
  readSync(id: string): Promise<SyncStatus | null>;
  /** All of one owner kind, or all; ordered by namespace and name. */
  listSyncs(filter?: {
    readonly ownerKind?: Owner["kind"];
    readonly namespace?: string;
    readonly repositoryId?: string;
  }): Promise<SyncStatus[]>;
}
