import { z } from "zod";
import { managedBy } from "../../domain/managed-by.ts";
import type { Catalog, ConnectionListing } from "../../sync/catalog.ts";
import { defineRoute, type Route } from "../route.ts";
import { namespaceName } from "../schemas.ts";

/** Connections of all owners. Credentials are never answered. */
export const listConnections = (catalog: Catalog): Route =>
  defineRoute({
    method: "GET",
    path: "/connections",
    access: "master",
    query: z.strictObject({ namespace: namespaceName.optional() }),
    async answer({ query: { namespace } }) {
      const connections = await catalog.listConnections(namespace ?? null);
      return { status: 200, body: { connections: connections.map(presentConnection) } };
    },
  });

function presentConnection(connection: ConnectionListing) {
  const { id, namespace, name, provider, label, owner } = connection;
  return {
    id,
    namespace,
    name,
    provider,
    label,
    managed_by: managedBy(owner, "Connection", { namespace, name }),
    external_username: connection.externalUsername,
    base_url: connection.baseUrl,
    scopes: connection.scopes,
    expires_at: connection.expiresAt,
    error: connection.error,
    error_code: connection.errorCode,
    created_at: connection.createdAt,
  };
}
