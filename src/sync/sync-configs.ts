// The sync of a repository that the API declares, of which there is one. Syncs of the same repository that a resource or a file
// declares are for their owners to change.
import { isDeepStrictEqual } from "node:util";
import { type ConnectionRecord, holdConnection, readConnection } from "../db/connections.ts";
import type { Database, Transaction } from "../db/database.ts";
import { lockRepository } from "../db/declared-repositories.ts";
import { listSyncNames, type SyncName } from "../db/repository-syncs.ts";
import { newRowId } from "../db/row-id.ts";
import { readSyncStatus } from "../db/sync-status.ts";
import { lockDeclaredSync } from "../db/syncs.ts";
import type { SyncStatus } from "../domain/declaration.ts";
import { CoregitError } from "../domain/errors.ts";
import { managedBy } from "../domain/managed-by.ts";
import type { Owner, SyncSpec } from "../domain/sync-spec.ts";
import type { RepositoryName } from "../domain/token-scopes.ts";
import { noTracer, type Tracer } from "../domain/tracer.ts";
import { locateRemote } from "../remotes/remote-url.ts";
import { removeSync, writeSync } from "./declare-sync.ts";
import { settledWebhook } from "./settled-webhook.ts";

export type NewSyncConfig = { readonly connectionId: string; readonly spec: SyncSpec };

export interface SyncConfigs {
  /** @throws CoregitError `RepositoryNotFound`, `SyncExists`, `ConnectionMissing`, `InvalidSpec` for a remote that its provider cannot have. */
  create(repository: RepositoryName, config: NewSyncConfig): Promise<SyncStatus>;
  /** A changed remote, direction or branch starts a new baseline. @throws CoregitError `SyncNotFound`, `Managed`, and as `create`. */
  update(repository: RepositoryName, patch: Partial<SyncSpec>): Promise<void>;
  /** History stays. @throws CoregitError `RepositoryNotFound`, `SyncNotFound`, `Managed`. */
  remove(repository: RepositoryName): Promise<void>;
}

const API: Owner = { kind: "api", ref: "" };

export type SyncConfigsOptions = { readonly awaitsWebhooks?: boolean; readonly tracer?: Tracer };

/** `awaitsWebhooks`: webhooks are made somewhere; the answer to a new sync then waits a moment for what becomes of its own. */
export function openSyncConfigs(
  database: Database,
  { awaitsWebhooks = false, tracer = noTracer }: SyncConfigsOptions = {},
): SyncConfigs {
  const cause = (): string | null => tracer.current()?.traceparent ?? null;
  return {
    async create(repository, config) {
      const id = await database.transaction((tx) => insert(tx, repository, config, cause()));
      const { direction, autoSync } = config.spec;
      if (awaitsWebhooks && direction === "import" && autoSync) await settledWebhook(database, id);
      const status = await readSyncStatus(database, id);
      if (status === null) throw new CoregitError("SyncNotFound", "The sync was deleted while it was being made.");
      return status;
    },
    update: (repository, patch) => database.transaction((tx) => change(tx, repository, patch, cause())),
    remove: (repository) =>
      database.transaction(async (tx) => {
        const { namespace, name } = await requireOwn(tx, repository);
        await removeSync(tx, API, namespace, name);
      }),
  };
}

async function insert(
  tx: Transaction,
  repository: RepositoryName,
  { connectionId, spec }: NewSyncConfig,
  cause: string | null,
): Promise<string> {
  // The lock on the repository makes this the only one.
  const own = (await listSyncs(tx, repository)).find(({ owner }) => owner.kind === "api");
  if (own !== undefined) {
    throw new CoregitError("SyncExists", "The repository has a sync already; change it, or delete it first.", {
      details: { syncs: [own.id] },
    });
  }
  checkRemote(await holdConnection(tx, connectionId), { connectionId, spec });
  const { namespace, slug } = repository;
  const declaration = { owner: API, namespace, name: newRowId("sync"), repository: slug, connection: connectionId, spec };
  return writeSync(tx, declaration, cause);
}

async function change(
  tx: Transaction,
  repository: RepositoryName,
  patch: Partial<SyncSpec>,
  cause: string | null,
): Promise<void> {
  const own = await requireOwn(tx, repository);
  const sync = await lockDeclaredSync(tx, { ownerKind: "api", ...own });
  if (sync === null) throw notFound(repository);
  const spec = { ...sync.spec, ...patch };
  if (isDeepStrictEqual(spec, sync.spec)) return;
  if (sync.connectionName !== null && spec.remote !== sync.spec.remote) {
    checkRemote(await readConnection(tx, sync.connectionName), { connectionId: sync.connectionName, spec });
  }
  const { namespace, name, connectionName: connection } = sync;
  await writeSync(tx, { owner: API, namespace, name, repository: repository.slug, connection, spec }, cause);
}

/** Locks the repository. @throws CoregitError `RepositoryNotFound`. */
async function listSyncs(tx: Transaction, { namespace, slug }: RepositoryName): Promise<readonly SyncName[]> {
  const repository = await lockRepository(tx, namespace, slug);
  if (repository === null) throw new CoregitError("RepositoryNotFound", `There is no repository ${namespace}/${slug}.`);
  return listSyncNames(tx, repository.id);
}

/** The API's own sync. @throws CoregitError `SyncNotFound`, `Managed` when there are only those of others. */
async function requireOwn(tx: Transaction, repository: RepositoryName): Promise<SyncName> {
  const syncs = await listSyncs(tx, repository);
  const own = syncs.find(({ owner }) => owner.kind === "api");
  if (own !== undefined) return own;
  const [other] = syncs;
  const owner = other === undefined ? null : managedBy(other.owner, "RepoSync", other);
  if (owner === null) throw notFound(repository);
  throw new CoregitError("Managed", `The sync is managed by ${owner}.`, { details: { managed_by: owner } });
}

/** A remote that cannot be one is refused at once, not by each run. */
function checkRemote(connection: ConnectionRecord | null, { connectionId, spec }: NewSyncConfig): void {
  if (connection === null) throw new CoregitError("ConnectionMissing", `There is no connection ${connectionId}.`);
  locateRemote({ ...connection, remote: spec.remote, credential: null });
}

function notFound({ namespace, slug }: RepositoryName): CoregitError {
  return new CoregitError("SyncNotFound", `The repository ${namespace}/${slug} has no sync.`);
}
