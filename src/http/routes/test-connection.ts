import { z } from "zod";
import type { ConnectionChanges } from "../../sync/connection-changes.ts";
import { connectionTestAnswer } from "../answers/connection.ts";
import { defineRoute, type Route } from "../route.ts";
import { rowId } from "../schemas.ts";

export const testConnection = (connections: ConnectionChanges): Route =>
  defineRoute({
    name: "testConnection",
    tag: "Connections",
    summary: "Try a connection out",
    description: "Asks the provider now, whoever declared the connection, and remembers what it says of the account.",
    method: "POST",
    path: "/connections/:id/test",
    access: "master",
    params: z.object({ id: rowId }),
    answers: { 200: connectionTestAnswer },
    problems: ["ConnectionNotFound"],
    async answer({ params: { id }, signal }) {
      return { status: 200, body: await connections.test(id, signal) };
    },
  });
