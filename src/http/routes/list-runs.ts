import { z } from "zod";
import type { History } from "../../sync/history.ts";
import { presentRun } from "../present/present-run.ts";
import { defineRoute, type Route } from "../route.ts";
import { cursor, limit, namespaceName, rowId } from "../schemas.ts";

const query = z.strictObject({ sync_id: rowId.optional(), namespace: namespaceName.optional(), limit, cursor });

/** Runs of one sync, of a namespace, or all, newest first. */
export const listRuns = (history: History): Route =>
  defineRoute({
    method: "GET",
    path: "/runs",
    access: "master",
    query,
    async answer({ query: asked }) {
      const of = asked.sync_id === undefined ? { namespace: asked.namespace ?? null } : { syncId: asked.sync_id };
      const page = await history.listRuns(of, { limit: asked.limit, cursor: asked.cursor ?? null });
      return { status: 200, body: { runs: page.runs.map(presentRun), next_cursor: page.nextCursor } };
    },
  });
