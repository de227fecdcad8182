// A declared connection becomes a row with a sealed credential. Responsible for waking the syncs that waited for it, and for
// sealing anew after the keys were rotated. Reads first and writes nothing when nothing changed.
import { isDeepStrictEqual } from "node:util";
import { type ConnectionRecord, deleteConnection, findConnection, lockConnection, writeConnection } from "../db/connections.ts";
import { isSealedWithFirst, openCredential, type SealingKeys, sealCredential } from "../db/credential-seal.ts";
import type { Database, Transaction } from "../db/database.ts";
import { notify } from "../db/notify.ts";
import { newRowId } from "../db/row-id.ts";
import { clearSyncPoints } from "../db/sync-points.ts";
import { linkConnection, listSyncsOfConnection, makeDue, moveGeneration } from "../db/syncs.ts";
import { rememberWake } from "../db/wake-traces.ts";
import { keepAccess, recheckWebhooks } from "../db/webhook-wants.ts";
import type { Credential } from "../domain/credential.ts";
import type { ConnectionDeclaration } from "../domain/declaration.ts";
import { CoregitError } from "../domain/errors.ts";
import type { Owner } from "../domain/sync-spec.ts";

/** Makes the row equal to the declaration. @throws CoregitError `Managed`, `CredentialUnreadable` (no key to seal with). */
export async function declareConnection(
  database: Database,
  keys: SealingKeys,
  declaration: ConnectionDeclaration,
  cause: string | null = null,
): Promise<{ readonly id: string }> {
  const { owner, namespace, name } = declaration;
  const current = await findConnection(database, owner.kind, namespace, name);
  if (current !== null && isDeclared(current, declaration, keys)) return { id: current.id };
  if (current !== null && !mayTakeOver(current.owner, owner)) throw managed(current);
  // What the API makes is named by its id.
  const id = current?.id ?? (owner.kind === "api" ? name : newRowId("conn"));
  const next = toRecord(id, declaration, keys);
  await database.transaction((tx) => storeConnection(tx, current, next, cause));
  return { id };
}

/** Removes a connection. Its syncs stay and fail with `ConnectionMissing`. Idempotent. */
export async function withdrawConnection(database: Database, owner: Owner, namespace: string, name: string): Promise<void> {
  await database.transaction(async (tx) => {
    const current = await findConnection(tx, owner.kind, namespace, name);
    if (current === null || current.owner.ref !== owner.ref) return;
    await lockConnection(tx, current.id);
    const syncs = await listSyncsOfConnection(tx, current.id, false);
    await keepAccess(tx, current.id);
    await recheckWebhooks(tx, current.id);
    await deleteConnection(tx, owner, namespace, name);
    await notify(tx, "syncDue", await makeDue(tx, syncs));
    await notify(tx, "connectionChanged", [current.id]);
  });
}

/** Writes the row in place of `current` and wakes the syncs that this means something to. `cause`: the traceparent of who changes it. */
export async function storeConnection(
  tx: Transaction,
  current: ConnectionRecord | null,
  next: ConnectionRecord,
  cause: string | null = null,
): Promise<void> {
  if (current !== null) await lockConnection(tx, current.id);
  const isOtherRemote = current !== null && (current.baseUrl !== next.baseUrl || current.provider !== next.provider);
  if (isOtherRemote) await keepAccess(tx, next.id);
  await writeConnection(tx, next);
  const linked = await linkConnection(tx, { ...next, ownerKind: next.owner.kind });
  await recheckWebhooks(tx, next.id);
  const isUsableAgain = current === null || !isDeepStrictEqual(current.error, next.error);
  const syncs = await listSyncsOfConnection(tx, next.id, !(isOtherRemote || isUsableAgain));
  if (isOtherRemote) {
    // The same path below another base is another repository.
    await clearSyncPoints(tx, syncs);
    await moveGeneration(tx, syncs);
  }
  const due = await makeDue(tx, [...new Set([...linked, ...syncs])]);
  await rememberWake(tx, due, cause);
  await notify(tx, "syncDue", due);
  await notify(tx, "syncChanged", due);
  await notify(tx, "connectionChanged", [next.id]);
}

function isDeclared(row: ConnectionRecord, declaration: ConnectionDeclaration, keys: SealingKeys): boolean {
  const { label, provider, baseUrl, caPem, owner, error } = declaration;
  return (
    isDeepStrictEqual(
      { label: row.label, provider: row.provider, baseUrl: row.baseUrl, caPem: row.caPem, owner: row.owner, error: row.error },
      { label, provider, baseUrl, caPem, owner, error },
    ) && holds(row, declaration.credential, keys)
  );
}

/** True when the row's sealed credential is this one and needs no other seal. */
function holds(row: ConnectionRecord, credential: Credential | null, keys: SealingKeys): boolean {
  if (row.sealedCredential === null || credential === null) return row.sealedCredential === null && credential === null;
  if (!isSealedWithFirst(keys, row.sealedCredential)) return false;
  try {
    return isDeepStrictEqual(openCredential(keys, row.id, row.sealedCredential), credential);
  } catch (error) {
    // A damaged row is healed by the declaration.
    if (error instanceof CoregitError && error.code === "CredentialUnreadable") return false;
    throw error;
  }
}

function toRecord(id: string, declaration: ConnectionDeclaration, keys: SealingKeys): ConnectionRecord {
  const { credential, ...plain } = declaration;
  return { ...plain, id, sealedCredential: credential === null ? null : sealCredential(keys, id, credential) };
}

/** As for syncs: a resource of the same name has replaced the old one, two files may contradict each other. */
function mayTakeOver(owner: Owner, next: Owner): boolean {
  return owner.ref === next.ref || owner.kind === "resource";
}

function managed(current: ConnectionRecord): CoregitError {
  const { owner, namespace, name } = current;
  return new CoregitError("Managed", `The connection ${namespace}/${name} is declared elsewhere (${owner.kind} ${owner.ref}).`, {
    details: { owner },
  });
}
