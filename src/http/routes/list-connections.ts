import { z } from "zod";
import type { Catalog } from "../../sync/catalog.ts";
import { connectionsAnswer } from "../answers/connection.ts";
import { presentConnection } from "../present/present-connection.ts";
import { defineRoute, type Route } from "../route.ts";
import { namespaceFilter } from "../schemas.ts";

export const listConnections = (catalog: Catalog): Route =>
  defineRoute({
    name: "listConnections",
    tag: "Connections",
    summary: "Connections of all owners",
    description: "Credentials are never answered.",
    method: "GET",
    path: "/connections",
    access: "master",
    query: z.strictObject({ namespace: namespaceFilter }),
    answers: { 200: connectionsAnswer },
    async answer({ query: { namespace } }) {
      const connections = await catalog.listConnections(namespace ?? null);
      return { status: 200, body: { connections: connections.map(presentConnection) } };
    },
  });
