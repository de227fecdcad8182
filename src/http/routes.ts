// All routes below /v1. A new one is a file in routes/ and a line here.
import type { RepositoryStore } from "../repositories/store.ts";
import type { Catalog } from "../sync/catalog.ts";
import type { Declarations } from "../sync/declarations.ts";
import type { History } from "../sync/history.ts";
import type { Triggers } from "../sync/triggers.ts";
import type { SyncChanges } from "./ports.ts";
import type { Route } from "./route.ts";
import { getCommit } from "./routes/get-commit.ts";
import { getRepository } from "./routes/get-repository.ts";
import { getRun } from "./routes/get-run.ts";
import { getSync } from "./routes/get-sync.ts";
import { getSyncConfig } from "./routes/get-sync-config.ts";
import { listCommits } from "./routes/list-commits.ts";
import { listConnections } from "./routes/list-connections.ts";
import { listRepositories } from "./routes/list-repositories.ts";
import { listRuns } from "./routes/list-runs.ts";
import { listSyncHistory } from "./routes/list-sync-history.ts";
import { listRepositorySyncs, listSyncs } from "./routes/list-syncs.ts";
import { triggerSync } from "./routes/trigger-sync.ts";
import { watchSyncs } from "./routes/watch-syncs.ts";

export type ApiPorts = {
  readonly store: RepositoryStore;
  readonly declarations: Declarations;
  readonly triggers: Triggers;
  readonly history: History;
  readonly catalog: Catalog;
  readonly changes: SyncChanges;
};

export function apiRoutes(ports: ApiPorts): readonly Route[] {
  return [
    listRepositories(ports.catalog),
    getRepository(ports.catalog),
    listCommits(ports.store),
    getCommit(ports.store),
    getSyncConfig(ports),
    listSyncHistory(ports.store, ports.history),
    triggerSync(ports),
    listRepositorySyncs(ports.store, ports.declarations),
    listSyncs(ports.declarations),
    getSync(ports.declarations),
    watchSyncs(ports),
    listConnections(ports.catalog),
    listRuns(ports.history),
    getRun(ports.history),
  ];
}
