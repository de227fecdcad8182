import { z } from "zod";
import type { ConnectionChanges } from "../../sync/connection-changes.ts";
import { DELETED, deletedAnswer } from "../answers/deleted.ts";
import { defineRoute, type Route } from "../route.ts";
import { flag, rowId } from "../schemas.ts";

export const deleteConnection = (connections: ConnectionChanges): Route =>
  defineRoute({
    name: "deleteConnection",
    tag: "Connections",
    summary: "Delete a connection",
    description: "With `cascade` also the syncs that use it.",
    method: "DELETE",
    path: "/connections/:id",
    access: "master",
    params: z.object({ id: rowId }),
    query: z.strictObject({ cascade: flag.describe("Also delete the syncs that use it.") }),
    answers: { 200: deletedAnswer },
    problems: ["ConnectionNotFound", "ConnectionInUse", "Managed"],
    async answer({ params: { id }, query: { cascade } }) {
      await connections.remove(id, { cascade });
      return { status: 200, body: DELETED };
    },
  });
