// Rows whose resource is gone although its finalizer never ran: somebody removed the finalizer by hand, or deleted the CRD.
// Without this they would sync for ever and nobody could remove them. Repositories are never removed this way: what a
// missing resource would have wanted for its data is not guessed.
import type { Database } from "../db/database.ts";
import { listConnectionRows } from "../db/listings.ts";
import type { Logger } from "../domain/log.ts";
import type { Owner } from "../domain/sync-spec.ts";
import { keyOf } from "../kube/object.ts";
import type { ObjectStore } from "../kube/object-store.ts";
import type { Declarations } from "../sync/declarations.ts";
import type { Watches } from "./watches.ts";

export type OrphanOptions = {
  readonly database: Database;
  readonly declarations: Declarations;
  readonly watches: Watches;
  /** Empty: all. Rows of other namespaces are another operator's. */
  readonly namespaces: readonly string[];
  readonly logger: Logger;
};

type DeclaredRow = { readonly owner: Owner; readonly namespace: string; readonly name: string };

/** The caches must hold complete lists. */
export async function withdrawOrphans({ database, declarations, watches, namespaces, logger }: OrphanOptions): Promise<void> {
  const isOrphan = (store: ObjectStore) => (row: DeclaredRow) =>
    row.owner.kind === "resource" &&
    (namespaces.length === 0 || namespaces.includes(row.namespace)) &&
    store.get(keyOf(row)) === null;
  const syncs = (await declarations.listSyncs({ ownerKind: "resource" })).filter(isOrphan(watches.repoSyncs));
  for (const { owner, namespace, name } of syncs) {
    logger.warn({ namespace, name }, "Withdrawing a sync whose RepoSync is gone.");
    await declarations.withdrawSync(owner, namespace, name);
  }
  const connections = (await listConnectionRows(database, null)).filter(isOrphan(watches.connections));
  for (const { owner, namespace, name } of connections) {
    logger.warn({ namespace, name }, "Withdrawing a connection whose Connection is gone.");
    await declarations.withdrawConnection(owner, namespace, name);
  }
}
