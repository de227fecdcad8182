import { z } from "zod";
import { CoregitError } from "../../domain/errors.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import type { Declarations } from "../../sync/declarations.ts";
import type { RunRecord } from "../../sync/history.ts";
import type { Triggers } from "../../sync/triggers.ts";
import type { AnswerOf } from "../answers/answer-of.ts";
import { askedRunAnswer, plannedAnswer, syncedAnswer } from "../answers/sync.ts";
import { requireSyncOf } from "../find-sync.ts";
import { presentPlan } from "../present/present-plan.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { RUN_PROBLEMS } from "../run-problems.ts";
import { repositoryAddress, rowId } from "../schemas.ts";

type Ports = { readonly store: RepositoryStore; readonly declarations: Declarations; readonly triggers: Triggers };

const body = z.strictObject({
  sync_id: rowId,
  branch: z.string().min(1).max(1000).optional(),
  dry_run: z.boolean().default(false),
  wait: z.boolean().default(true),
});

export const triggerSync = ({ store, declarations, triggers }: Ports): Route =>
  defineRepositoryRoute({
    name: "triggerSync",
    tag: "Sync",
    summary: "Run a sync now",
    description:
      "Whoever declared it; answers with what the run did. `dry_run` answers the plan and changes nothing; `wait: false` answers at once with the run's id.",
    method: "POST",
    path: "/sync",
    access: "master",
    params: repositoryAddress,
    body,
    example: { sync_id: "sync_0123456789abcdef", dry_run: true },
    answers: { 200: z.union([syncedAnswer, plannedAnswer]), 202: askedRunAnswer },
    problems: ["SyncNotFound", "Suspended", ...RUN_PROBLEMS],
    async answer({ params, body: asked, signal }) {
      await requireSyncOf({ store, declarations }, params, asked.sync_id);
      const request = { branch: asked.branch ?? null, ...(asked.dry_run ? { mode: "Plan" as const } : {}) };
      if (!asked.wait) return { status: 202, body: { run_id: (await triggers.ask(asked.sync_id, request)).runId } };
      const run = await triggers.run(asked.sync_id, request, signal);
      return { status: 200, body: asked.dry_run ? planOf(run) : resultOf(run) };
    },
  });

function resultOf(run: RunRecord): AnswerOf<typeof syncedAnswer> {
  if (run.status === "error") throw failureOf(run);
  const { remoteSha, commitSha, added, modified, deleted, direction } = run;
  const counts = { files_changed: added + modified, deleted };
  const synced = run.status === "success";
  return { synced, remote_sha: remoteSha, commit_sha: commitSha, ...counts, direction };
}

function planOf(run: RunRecord): AnswerOf<typeof plannedAnswer> {
  const planned = presentPlan(run);
  if (planned === null) throw failureOf(run);
  return planned;
}

function failureOf(run: RunRecord): CoregitError {
  const details = { run_id: run.id, ...(run.details === null ? {} : { details: run.details }) };
  return new CoregitError(run.code ?? "Internal", run.message, { details });
}
