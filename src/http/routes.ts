// All routes below /v1. A new one is a file in routes/ and a line here.
import type { RepositoryStore } from "../repositories/store.ts";
import type { Catalog } from "../sync/catalog.ts";
import type { ConnectionChanges } from "../sync/connection-changes.ts";
import type { Declarations } from "../sync/declarations.ts";
import type { History } from "../sync/history.ts";
import type { ManualWebhooks } from "../sync/manual-webhooks.ts";
import type { RepositoryChanges } from "../sync/repository-changes.ts";
import type { SyncConfigs } from "../sync/sync-configs.ts";
import type { Triggers } from "../sync/triggers.ts";
import type { WebhookIntake } from "../sync/webhook-intake.ts";
import type { SyncChanges } from "./ports.ts";
import type { Route } from "./route.ts";
import { compareCommits, compareRange } from "./routes/compare-commits.ts";
import { createBranch } from "./routes/create-branch.ts";
import { createCommit } from "./routes/create-commit.ts";
import { createConnection } from "./routes/create-connection.ts";
import { createRef } from "./routes/create-ref.ts";
import { createRepository } from "./routes/create-repository.ts";
import { createSyncConfig } from "./routes/create-sync-config.ts";
import { createTag } from "./routes/create-tag.ts";
import { createToken } from "./routes/create-token.ts";
import { deleteBranch } from "./routes/delete-branch.ts";
import { deleteConnection } from "./routes/delete-connection.ts";
import { deleteRef } from "./routes/delete-ref.ts";
import { deleteRepository } from "./routes/delete-repository.ts";
import { deleteSyncConfig } from "./routes/delete-sync-config.ts";
import { deleteTag } from "./routes/delete-tag.ts";
import { getBlob, getFile } from "./routes/get-blob.ts";
import { getBranch } from "./routes/get-branch.ts";
import { getCommit } from "./routes/get-commit.ts";
import { getConnection } from "./routes/get-connection.ts";
import { getCommitDiff, getDiff } from "./routes/get-diff.ts";
import { getRaw } from "./routes/get-raw.ts";
import { getRef } from "./routes/get-ref.ts";
import { getRepository } from "./routes/get-repository.ts";
import { getRun, getRunPlan } from "./routes/get-run.ts";
import { getSync } from "./routes/get-sync.ts";
import { getSyncConfig } from "./routes/get-sync-config.ts";
import { getTag } from "./routes/get-tag.ts";
import { getTree } from "./routes/get-tree.ts";
import { listBranches } from "./routes/list-branches.ts";
import { listCommits } from "./routes/list-commits.ts";
import { listConnections } from "./routes/list-connections.ts";
import { listRefs } from "./routes/list-refs.ts";
import { listRepositories } from "./routes/list-repositories.ts";
import { listRuns } from "./routes/list-runs.ts";
import { listSyncHistory } from "./routes/list-sync-history.ts";
import { listRepositorySyncs, listSyncs } from "./routes/list-syncs.ts";
import { listTags } from "./routes/list-tags.ts";
import { listTokens } from "./routes/list-tokens.ts";
import { getManualWebhook, rotateManualWebhook } from "./routes/manual-webhook.ts";
import { receiveWebhook } from "./routes/receive-webhook.ts";
import { revokeToken } from "./routes/revoke-token.ts";
import { testConnection } from "./routes/test-connection.ts";
import { triggerSync } from "./routes/trigger-sync.ts";
import { updateConnection } from "./routes/update-connection.ts";
import { updateRef } from "./routes/update-ref.ts";
import { updateRepository } from "./routes/update-repository.ts";
import { updateSyncConfig } from "./routes/update-sync-config.ts";
import { watchSyncs } from "./routes/watch-syncs.ts";
import type { Tokens } from "./tokens.ts";

export type ApiPorts = {
  readonly store: RepositoryStore;
  readonly declarations: Declarations;
  readonly triggers: Triggers;
  readonly history: History;
  readonly catalog: Catalog;
  readonly changes: SyncChanges;
  readonly tokens: Tokens;
  readonly repositories: RepositoryChanges;
  readonly connections: ConnectionChanges;
  readonly syncConfigs: SyncConfigs;
  readonly webhooks: WebhookIntake;
  readonly manualWebhooks: ManualWebhooks;
};

export function apiRoutes(ports: ApiPorts): readonly Route[] {
  return [
    listRepositories(ports.catalog),
    createRepository(ports),
    getRepository(ports.catalog),
    updateRepository(ports),
    deleteRepository(ports.repositories),
    listBranches(ports.store),
    createBranch(ports.store),
    getBranch(ports.store),
    deleteBranch(ports.store),
    listTags(ports.store),
    createTag(ports.store),
    getTag(ports.store),
    deleteTag(ports.store),
    listRefs(ports.store),
    createRef(ports.store),
    getRef(ports.store),
    updateRef(ports.store, "PUT"),
    updateRef(ports.store, "PATCH"),
    deleteRef(ports.store),
    listTokens(ports.tokens),
    createToken(ports.tokens),
    revokeToken(ports.tokens),
    listCommits(ports.store),
    createCommit(ports.store),
    getCommit(ports.store),
    getTree(ports.store),
    getFile(ports.store),
    getBlob(ports.store),
    getRaw(ports.store),
    compareCommits(ports.store),
    compareRange(ports.store),
    getDiff(ports.store),
    getCommitDiff(ports.store),
    ...syncRoutes(ports),
  ];
}

/** Syncs, connections and runs. */
function syncRoutes(ports: ApiPorts): readonly Route[] {
  return [
    getSyncConfig(ports),
    createSyncConfig(ports),
    updateSyncConfig(ports.syncConfigs),
    deleteSyncConfig(ports.syncConfigs),
    getManualWebhook(ports),
    rotateManualWebhook(ports),
    listSyncHistory(ports.store, ports.history),
    triggerSync(ports),
    listRepositorySyncs(ports.store, ports.declarations),
    listSyncs(ports.declarations),
    getSync(ports.declarations),
    watchSyncs(ports),
    receiveWebhook(ports.webhooks),
    listConnections(ports.catalog),
    createConnection(ports),
    getConnection(ports.catalog),
    updateConnection(ports.connections),
    deleteConnection(ports.connections),
    testConnection(ports.connections),
    listRuns(ports.history),
    getRun(ports),
    getRunPlan(ports),
  ];
}
