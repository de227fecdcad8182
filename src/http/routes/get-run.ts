import { z } from "zod";
import { CoregitError } from "../../domain/errors.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import type { History } from "../../sync/history.ts";
import { presentRun } from "../present/present-run.ts";
import { canRead } from "../principal.ts";
import { defineRoute, type Route } from "../route.ts";
import { rowId } from "../schemas.ts";

type Ports = { readonly history: History; readonly store: Pick<RepositoryStore, "get"> };

/** A run of a repository that the key may read. */
export const getRun = ({ history, store }: Ports): Route =>
  defineRoute({
    method: "GET",
    path: "/runs/:id",
    access: "any",
    params: z.object({ id: rowId }),
    async answer({ params: { id }, principal }) {
      const run = await history.getRun(id);
      const repository = run === null ? null : await store.get(run.repositoryId);
      const isVisible = repository !== null && canRead(principal, repository);
      if (run === null || !isVisible) throw new CoregitError("RunNotFound", `There is no run ${id}.`);
      return { status: 200, body: presentRun(run) };
    },
  });
