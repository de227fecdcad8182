// Connection and its Secret ⇄ row of a connection. The Secret is read by name at each reconcile and nowhere else; only the
// sealed row leaves this process.
import type { Queryable } from "../db/database.ts";
import { type ConnectionListing, readConnectionRow } from "../db/listings.ts";
import { ERROR_CODES, type ErrorCode } from "../domain/errors.ts";
import { hasStatus } from "../kube/api-error.ts";
import type { KubeApi } from "../kube/kube-api.ts";
import { type KubeObject, keyOf, keyOfObject } from "../kube/object.ts";
import { conditionsOf, failedState, type ReadyState } from "../resources/conditions.ts";
import type { Connection, ConnectionStatus } from "../resources/connection.ts";
import { decodeSecret } from "../resources/secret-keys.ts";
import { namespaceOf, type SecretLookup, toConnectionDeclaration } from "../resources/to-declaration.ts";
import type { Declarations } from "../sync/declarations.ts";
import { CONNECTION, SECRET } from "./kinds.ts";
import { conditionContext, ownerOf, parseObject } from "./parsed-object.ts";
import type { Projector } from "./reconcile-resource.ts";
import type { RowIndex } from "./row-index.ts";

export type ConnectionProjectorOptions = {
  readonly api: KubeApi;
  readonly database: Queryable;
  readonly declarations: Declarations;
  readonly index: RowIndex;
};

/** Secrets are not watched: that would need the right to list all of them. */
const SECRET_REREAD_MS = 60_000;

export function createConnectionProjector({ api, database, declarations, index }: ConnectionProjectorOptions): Projector {
  return {
    resource: CONNECTION,
    async project(object, now, signal) {
      const resource = parseObject("Connection", CONNECTION, object);
      const secret = await lookUpSecret(api, resource, signal);
      const { id } = await declarations.declareConnection(toConnectionDeclaration(resource, ownerOf(object), secret));
      index.set(keyOfObject(object), id, ownerOf(object));
      const row = await readConnectionRow(database, id);
      const context = conditionContext(object, now);
      const conditions = conditionsOf(readyState(resource, row), context);
      const status: ConnectionStatus = { observedGeneration: context.generation, conditions, ...account(row) };
      return { status, ...(secret === null ? {} : { requeueAfterMs: SECRET_REREAD_MS }) };
    },
    explain(object, now, { code, message }) {
      const context = conditionContext(object, now);
      return { observedGeneration: context.generation, conditions: conditionsOf(failedState(code, message), context) };
    },
    async withdraw(owner, { namespace, name }) {
      await declarations.withdrawConnection(owner, namespace, name);
      index.delete(keyOf({ namespace, name }));
    },
    leftBehind: (key) => index.ownerOf(key),
  };
}

type KubeSecret = KubeObject & { readonly data?: unknown };

async function lookUpSecret(api: KubeApi, resource: Connection, signal: AbortSignal): Promise<SecretLookup | null> {
  const name = resource.spec.secretRef?.name;
  if (name === undefined) return null;
  const namespace = namespaceOf(resource);
  try {
    const secret = await api.get(SECRET, { namespace, name }, { signal });
    if (secret === null) return { found: false, message: `There is no Secret ${name} in the namespace ${namespace}.` };
    return { found: true, data: decodeSecret(secret as KubeSecret) };
  } catch (error) {
    if (hasStatus(error, 403))
      return { found: false, message: `Coregit may not read the Secret ${name} in the namespace ${namespace}.` };
    throw error;
  }
}

function readyState(resource: Connection, row: ConnectionListing | null): ReadyState {
  if (row !== null && row.errorCode !== null) {
    const code = Object.hasOwn(ERROR_CODES, row.errorCode) ? (row.errorCode as ErrorCode) : "Internal";
    return failedState(code, row.error ?? ERROR_CODES[code].meaning);
  }
  const name = resource.spec.secretRef?.name;
  const message = name === undefined ? "Remotes are read anonymously." : `The credential of the Secret ${name} is in use.`;
  return { ready: "True", reason: "Accepted", message };
}

function account(row: ConnectionListing | null): Partial<ConnectionStatus> {
  return {
    ...(row === null || row.externalUsername === null ? {} : { externalUsername: row.externalUsername }),
    ...(row === null || row.scopes === null ? {} : { scopes: [...row.scopes] }),
    ...(row === null || row.expiresAt === null ? {} : { expiresAt: row.expiresAt }),
  };
}
