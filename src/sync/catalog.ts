// The port by which HTTP lists what is stored beside syncs and runs, and its adapter on the database.
import type { Queryable } from "../db/database.ts";
import {
  type ConnectionListing,
  listConnectionRows,
  listRepositoryRows,
  type RepositoryListing,
  readConnectionRow,
  readRepositoryRow,
} from "../db/listings.ts";
import type { RepositoryName } from "../domain/token-scopes.ts";

export type { ConnectionListing, RepositoryListing };

export interface Catalog {
  /** Repositories in order of namespace and slug, at most `limit`, after `after`. */
  listRepositories(page: {
    readonly namespace: string | null;
    readonly limit: number;
    readonly after: RepositoryName | null;
    /** Only these, and public ones; null: all. */
    readonly among: readonly RepositoryName[] | null;
  }): Promise<RepositoryListing[]>;
  readRepository(namespace: string, slug: string): Promise<RepositoryListing | null>;
  /** Connections of a namespace, or of all; never a credential. */
  listConnections(namespace: string | null): Promise<ConnectionListing[]>;
  readConnection(id: string): Promise<ConnectionListing | null>;
}

export function createCatalog(database: Queryable): Catalog {
  return {
    listRepositories: (page) => listRepositoryRows(database, page),
    readRepository: (namespace, slug) => readRepositoryRow(database, namespace, slug),
    listConnections: (namespace) => listConnectionRows(database, namespace),
    readConnection: (id) => readConnectionRow(database, id),
  };
}
