import { z } from "zod";
import { CoregitError } from "../../domain/errors.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import type { Declarations } from "../../sync/declarations.ts";
import type { RunRecord } from "../../sync/history.ts";
import type { Triggers } from "../../sync/triggers.ts";
import { findRepository } from "../find-repository.ts";
import { type Answer, defineRepositoryRoute, type Route } from "../route.ts";
import { type RepositoryAddress, repositoryAddress, rowId } from "../schemas.ts";

type Ports = { readonly store: RepositoryStore; readonly declarations: Declarations; readonly triggers: Triggers };

const body = z.strictObject({
  sync_id: rowId,
  branch: z.string().min(1).max(1000).optional(),
  dry_run: z.boolean().default(false),
  wait: z.boolean().default(true),
});

/**
 * Runs a sync now, whoever declared it, and answers with what the run did. `dry_run` answers the plan and changes
 * nothing; `wait: false` answers at once with the run's id.
 */
export const triggerSync = ({ store, declarations, triggers }: Ports): Route =>
  defineRepositoryRoute({
    method: "POST",
    path: "/sync",
    access: "master",
    params: repositoryAddress,
    body,
    async answer({ params, body: asked, signal }) {
      await requireSyncOf({ store, declarations }, params, asked.sync_id);
      const request = { branch: asked.branch ?? null, ...(asked.dry_run ? { mode: "Plan" as const } : {}) };
      if (!asked.wait) return { status: 202, body: { run_id: (await triggers.ask(asked.sync_id, request)).runId } };
      const run = await triggers.run(asked.sync_id, request, signal);
      return asked.dry_run ? planAnswer(run) : runAnswer(run);
    },
  });

/** A sync of another repository is as unknown here as one that does not exist. */
async function requireSyncOf(
  { store, declarations }: Pick<Ports, "store" | "declarations">,
  address: RepositoryAddress,
  syncId: string,
): Promise<void> {
  const repository = await findRepository(store, address);
  const sync = await declarations.readSync(syncId);
  if (sync?.repository.id !== repository.id) {
    throw new CoregitError("SyncNotFound", `The repository ${address.namespace}/${address.slug} has no sync ${syncId}.`);
  }
}

function runAnswer(run: RunRecord): Answer {
  if (run.status === "error") throw failureOf(run);
  const { remoteSha, commitSha, added, modified, deleted, direction } = run;
  const counts = { files_changed: added + modified, deleted };
  const synced = run.status === "success";
  return { status: 200, body: { synced, remote_sha: remoteSha, commit_sha: commitSha, ...counts, direction } };
}

/** A plan that would conflict is an answer like any other. A run that found nothing new has made none: it would change nothing. */
function planAnswer(run: RunRecord): Answer {
  if (run.plan === null && run.status === "error") throw failureOf(run);
  const { added, modified, deleted } = run;
  return { status: 200, body: { plan: run.plan ?? { added, modified, deleted, paths: [], conflicts: [] } } };
}

function failureOf(run: RunRecord): CoregitError {
  const details = { run_id: run.id, ...(run.details === null ? {} : { details: run.details }) };
  return new CoregitError(run.code ?? "Internal", run.message, { details });
}
