import { z } from "zod";
import type { RepositoryStore } from "../../repositories/store.ts";
import type { History } from "../../sync/history.ts";
import { historyAnswer } from "../answers/run.ts";
import { findRepository } from "../find-repository.ts";
import { presentHistoryRun } from "../present/present-run.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { cursor, limit, repositoryAddress } from "../schemas.ts";

export const listSyncHistory = (store: RepositoryStore, history: History): Route =>
  defineRepositoryRoute({
    name: "listSyncHistory",
    tag: "Sync",
    summary: "Runs of all syncs of a repository, newest first",
    method: "GET",
    path: "/sync/history",
    access: "read",
    params: repositoryAddress,
    query: z.strictObject({ limit, cursor }),
    answers: { 200: historyAnswer },
    async answer({ params, query }) {
      const { id } = await findRepository(store, params);
      const page = await history.listRuns({ repositoryId: id }, { limit: query.limit, cursor: query.cursor ?? null });
      return { status: 200, body: { runs: page.runs.map(presentHistoryRun), next_cursor: page.nextCursor } };
    },
  });
