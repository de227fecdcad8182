// Which syncs work in a repository.
import type { Owner } from "../domain/sync-spec.ts";
import type { Transaction } from "./database.ts";

export type SyncName = { readonly id: string; readonly namespace: string; readonly name: string; readonly owner: Owner };

/** In order of their names. */
export async function listSyncNames(tx: Transaction, repositoryId: string): Promise<SyncName[]> {
  const { rows } = await tx.query<{ id: string; namespace: string; name: string; owner_kind: Owner["kind"]; owner_ref: string }>(
    "SELECT id, namespace, name, owner_kind, owner_ref FROM syncs WHERE repository_id = $1 ORDER BY namespace, name, id",
    [repositoryId],
  );
  return rows.map(({ id, namespace, name, owner_kind, owner_ref }) => ({
    id,
    namespace,
    name,
    owner: { kind: owner_kind, ref: owner_ref },
  }));
}
