// Which syncs work in a repository, and which with a connection.
import type { Owner } from "../domain/sync-spec.ts";
import type { Transaction } from "./database.ts";

export type SyncName = { readonly id: string; readonly namespace: string; readonly name: string; readonly owner: Owner };

/** In order of their names. */
export function listSyncNames(tx: Transaction, repositoryId: string): Promise<SyncName[]> {
  return list(tx, "repository_id", repositoryId);
}

/** In order of their names. */
export function listSyncNamesOfConnection(tx: Transaction, connectionId: string): Promise<SyncName[]> {
  return list(tx, "connection_id", connectionId);
}

type NameRow = {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly owner_kind: Owner["kind"];
  readonly owner_ref: string;
};

async function list(tx: Transaction, column: "repository_id" | "connection_id", value: string): Promise<SyncName[]> {
  const { rows } = await tx.query<NameRow>(
    `SELECT id, namespace, name, owner_kind, owner_ref FROM syncs WHERE ${column} = $1 ORDER BY namespace, name, id`,
    [value],
  );
  return rows.map(({ id, namespace, name, owner_kind, owner_ref }) => ({
    id,
    namespace,
    name,
    owner: { kind: owner_kind, ref: owner_ref },
  }));
}
