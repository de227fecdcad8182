import { z } from "zod";
import { CoregitError } from "../../domain/errors.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import type { History, RunRecord } from "../../sync/history.ts";
import { runAnswer } from "../answers/run.ts";
import { plannedAnswer } from "../answers/sync.ts";
import { presentPlan } from "../present/present-plan.ts";
import { presentRun } from "../present/present-run.ts";
import { canRead, type Principal } from "../principal.ts";
import { defineRoute, type Route } from "../route.ts";
import { rowId } from "../schemas.ts";

type Ports = { readonly history: History; readonly store: Pick<RepositoryStore, "get"> };

export const getRun = (ports: Ports): Route =>
  defineRoute({
    name: "getRun",
    tag: "Runs",
    summary: "A run",
    description: "Of a repository that the key may read.",
    method: "GET",
    path: "/runs/:id",
    access: "any",
    params: z.object({ id: rowId }),
    answers: { 200: runAnswer },
    problems: ["RunNotFound"],
    answer: async ({ params: { id }, principal }) => ({
      status: 200,
      body: presentRun(await findRun(ports, id, principal)),
    }),
  });

export const getRunPlan = (ports: Ports): Route =>
  defineRoute({
    name: "getRunPlan",
    tag: "Runs",
    summary: "What a run would change, or has",
    description:
      "Of a repository that the key may read. The paths are those of a run that only planned; of others there are the counts. A run that ended before it had a plan is not found here.",
    method: "GET",
    path: "/runs/:id/plan",
    access: "any",
    params: z.object({ id: rowId }),
    answers: { 200: plannedAnswer },
    problems: ["RunNotFound"],
    async answer({ params: { id }, principal }) {
      const planned = presentPlan(await findRun(ports, id, principal));
      if (planned === null) throw new CoregitError("RunNotFound", `The run ${id} has no plan.`);
      return { status: 200, body: planned };
    },
  });

async function findRun({ history, store }: Ports, id: string, principal: Principal): Promise<RunRecord> {
  const run = await history.getRun(id);
  const repository = run === null ? null : await store.get(run.repositoryId);
  const isVisible = repository !== null && canRead(principal, repository);
  if (run === null || !isVisible) throw new CoregitError("RunNotFound", `There is no run ${id}.`);
  return run;
}
