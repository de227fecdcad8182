// What the API may do to connections. A credential is tried out before it is stored, sealed where it rests, and never comes out
// again. A connection that a resource or a file declares is for its owner to change; anybody may have it tried out.

import { writeAccount, writeCheckFailure } from "../db/connection-checks.ts";
import { type ConnectionRecord, deleteConnection, lockConnection, readConnection, resealConnection } from "../db/connections.ts";
import { isSealedWithFirst, openCredential, type SealingKeys, sealCredential } from "../db/credential-seal.ts";
import type { Database, Transaction } from "../db/database.ts";
import { notify } from "../db/notify.ts";
import { listSyncNamesOfConnection } from "../db/repository-syncs.ts";
import { newRowId } from "../db/row-id.ts";
import { keepAccess, recheckWebhooks } from "../db/webhook-wants.ts";
import type { Credential } from "../domain/credential.ts";
import { CoregitError } from "../domain/errors.ts";
import { managedBy } from "../domain/managed-by.ts";
import type { Owner, Provider } from "../domain/sync-spec.ts";
import { noTracer, type Tracer } from "../domain/tracer.ts";
import type { Account, Accounts, AccountTarget } from "../remotes/account.ts";
import { isAboutProvider, isNotLetIn } from "./connection-failures.ts";
import { storeConnection } from "./declare-connection.ts";
import { removeSync } from "./declare-sync.ts";

export type NewConnection = {
  readonly provider: Provider;
  readonly label: string;
  /** null: anonymous. */
  readonly credential: Credential | null;
  readonly baseUrl: string | null;
};

/** Another base URL comes with a credential: the stored one is not sent to a server that it was not given for. */
export type ConnectionPatch = {
  readonly label?: string | undefined;
  readonly credential?: Credential | undefined;
  readonly baseUrl?: string | undefined;
};

export type ConnectionTest =
  | { readonly valid: true; readonly username: string | null }
  | { readonly valid: false; readonly error: string };

export interface ConnectionChanges {
  /** Returns the id. @throws CoregitError `CredentialInvalid`, and why the provider could not be asked. */
  create(connection: NewConnection, signal: AbortSignal): Promise<{ readonly id: string }>;
  /** @throws CoregitError `ConnectionNotFound`, `Managed`, `InvalidRequest` for a base URL without a credential, and as `create`. */
  update(id: string, patch: ConnectionPatch, signal: AbortSignal): Promise<void>;
  /**
   * Syncs of it go with it when `cascade`.
   * @throws CoregitError `ConnectionNotFound`, `Managed`, `ConnectionInUse` with `details.syncs`.
   */
  remove(id: string, options: { readonly cascade: boolean }): Promise<void>;
  /** Asks the provider now and remembers what it says; seals with the first key what another has sealed. @throws CoregitError `ConnectionNotFound`. */
  test(id: string, signal: AbortSignal): Promise<ConnectionTest>;
}

export type ConnectionChangesOptions = {
  readonly database: Database;
  readonly keys: SealingKeys;
  readonly accounts: Accounts;
  /** Default: no traces. */
  readonly tracer?: Tracer;
};

/** Connections of the API belong to no namespace; the column wants one. */
const NAMESPACE = "default";
const API: Owner = { kind: "api", ref: "" };

export function openConnectionChanges(options: ConnectionChangesOptions): ConnectionChanges {
  const { database } = options;
  return {
    create: (connection, signal) => create(options, connection, signal),
    update: (id, patch, signal) => update(options, { id, patch }, signal),
    async remove(id, { cascade }) {
      await database.transaction(async (tx) => {
        requireOwn(await lockConnection(tx, id), id);
        await removeSyncs(tx, id, cascade);
        await keepAccess(tx, id);
        await recheckWebhooks(tx, id);
        await deleteConnection(tx, API, NAMESPACE, id);
        await notify(tx, "connectionChanged", [id]);
      });
    },
    test: (id, signal) => test(options, id, signal),
  };
}

async function create(
  options: ConnectionChangesOptions,
  made: NewConnection,
  signal: AbortSignal,
): Promise<{ readonly id: string }> {
  const { database, keys, accounts } = options;
  const { credential, ...plain } = made;
  const account = await tryOut(accounts, { ...made, caPem: null }, signal);
  const id = newRowId("conn");
  const sealedCredential = credential === null ? null : sealCredential(keys, id, credential);
  const row = { ...plain, id, namespace: NAMESPACE, name: id, owner: API, caPem: null, sealedCredential, error: null };
  await database.transaction(async (tx) => {
    await storeConnection(tx, null, row);
    await writeAccount(tx, id, sealedCredential, account);
  });
  return { id };
}

type Update = { readonly id: string; readonly patch: ConnectionPatch };

async function update(options: ConnectionChangesOptions, asked: Update, signal: AbortSignal): Promise<void> {
  const { database, keys, accounts, tracer = noTracer } = options;
  const { id, patch } = asked;
  const { credential } = patch;
  const before = requireOwn(await readConnection(database, id), id);
  const baseUrl = patch.baseUrl ?? before.baseUrl;
  if (credential === undefined && baseUrl !== before.baseUrl) {
    throw new CoregitError("InvalidRequest", "Another base_url needs the credential that is meant for it.", {
      details: { field: "base_url" },
    });
  }
  const account = credential === undefined ? null : await tryOut(accounts, { ...before, baseUrl, credential }, signal);
  const isDone = await database.transaction(async (tx) => {
    const current = requireOwn(await lockConnection(tx, id), id);
    if (current.baseUrl !== before.baseUrl) return false;
    const sealedCredential = credential === undefined ? current.sealedCredential : sealCredential(keys, id, credential);
    const next = { ...current, label: patch.label ?? current.label, baseUrl, sealedCredential };
    await storeConnection(tx, current, next, tracer.current()?.traceparent ?? null);
    if (account !== null) await writeAccount(tx, id, sealedCredential, account);
    return true;
  });
  // Somebody has moved it to another server meanwhile: what was tried out is not what would be stored.
  if (!isDone) await update(options, asked, signal);
}

async function removeSyncs(tx: Transaction, connectionId: string, cascade: boolean): Promise<void> {
  const syncs = await listSyncNamesOfConnection(tx, connectionId);
  const owner = syncs.map((sync) => managedBy(sync.owner, "RepoSync", sync)).find((name) => name !== null);
  if (owner !== undefined) {
    throw new CoregitError("Managed", `The connection is in use by ${owner}.`, { details: { managed_by: owner } });
  }
  if (syncs.length > 0 && !cascade) {
    throw new CoregitError("ConnectionInUse", "Syncs use the connection; delete them first, or add ?cascade=true.", {
      details: { syncs: syncs.map(({ id }) => id) },
    });
  }
  for (const { owner: declaredBy, namespace, name } of syncs) await removeSync(tx, declaredBy, namespace, name);
}

async function test(options: ConnectionChangesOptions, id: string, signal: AbortSignal): Promise<ConnectionTest> {
  const { database, keys, accounts } = options;
  const connection = await readConnection(database, id);
  if (connection === null) throw notFound(id);
  if (connection.error !== null) return { valid: false, error: connection.error.message };
  const { sealedCredential: sealed } = connection;
  const credential = sealed === null ? null : openCredential(keys, id, sealed);
  try {
    const account = await accounts.inspectCredential({ ...connection, credential }, signal);
    await writeAccount(database, id, sealed, account);
    await resealWithFirst(options, id, sealed);
    return { valid: true, username: account.externalUsername };
  } catch (error) {
    // The caller has gone: there is nobody to answer.
    if (signal.aborted || !isAboutProvider(error)) throw error;
    if (isNotLetIn(error.code)) await writeCheckFailure(database, id, sealed, error);
    return { valid: false, error: error.message };
  }
}

async function resealWithFirst(
  { database, keys }: ConnectionChangesOptions,
  id: string,
  sealed: Uint8Array | null,
): Promise<void> {
  if (sealed === null || isSealedWithFirst(keys, sealed)) return;
  await resealConnection(database, id, sealed, sealCredential(keys, id, openCredential(keys, id, sealed)));
}

async function tryOut(accounts: Accounts, target: AccountTarget, signal: AbortSignal): Promise<Account> {
  try {
    return await accounts.inspectCredential(target, signal);
  } catch (error) {
    if (!isAboutProvider(error)) throw error;
    // Told in one sentence; details are of runs.
    throw new CoregitError(isNotLetIn(error.code) ? "CredentialInvalid" : error.code, error.message, { cause: error });
  }
}

/** @throws CoregitError `ConnectionNotFound`, `Managed`. */
function requireOwn(connection: ConnectionRecord | null, id: string): ConnectionRecord {
  if (connection === null) throw notFound(id);
  const owner = managedBy(connection.owner, "Connection", connection);
  if (owner === null) return connection;
  throw new CoregitError("Managed", `The connection is managed by ${owner}.`, { details: { managed_by: owner } });
}

function notFound(id: string): CoregitError {
  return new CoregitError("ConnectionNotFound", `There is no connection ${id}.`);
}
