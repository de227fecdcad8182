import { z } from "zod";
import type { History } from "../../sync/history.ts";
import { runsAnswer } from "../answers/run.ts";
import { presentRun } from "../present/present-run.ts";
import { defineRoute, type Route } from "../route.ts";
import { cursor, limit, namespaceFilter, rowId } from "../schemas.ts";

const query = z.strictObject({
  sync_id: rowId.describe("Only those of this sync.").optional(),
  namespace: namespaceFilter,
  limit,
  cursor,
});

export const listRuns = (history: History): Route =>
  defineRoute({
    name: "listRuns",
    tag: "Runs",
    summary: "Runs, newest first",
    description: "Of one sync, of a namespace, or all.",
    method: "GET",
    path: "/runs",
    access: "master",
    query,
    answers: { 200: runsAnswer },
    async answer({ query: asked }) {
      const of = asked.sync_id === undefined ? { namespace: asked.namespace ?? null } : { syncId: asked.sync_id };
      const page = await history.listRuns(of, { limit: asked.limit, cursor: asked.cursor ?? null });
      return { status: 200, body: { runs: page.runs.map(presentRun), next_cursor: page.nextCursor } };
    },
  });
