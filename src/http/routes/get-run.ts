import { z } from "zod";
import { CoregitError } from "../../domain/errors.ts";
import type { History } from "../../sync/history.ts";
import { presentRun } from "../present/present-run.ts";
import { defineRoute, type Route } from "../route.ts";
import { rowId } from "../schemas.ts";

export const getRun = (history: History): Route =>
  defineRoute({
    method: "GET",
    path: "/runs/:id",
    params: z.object({ id: rowId }),
    async answer({ params: { id } }) {
      const run = await history.getRun(id);
      if (run === null) throw new CoregitError("RunNotFound", `There is no run ${id}.`);
      return { status: 200, body: presentRun(run) };
    },
  });
