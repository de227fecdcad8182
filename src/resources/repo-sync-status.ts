// What a RepoSync shows.
import { z } from "zod";
import { conditions, MESSAGE_MAX_LENGTH } from "./condition.ts";
import { generation, oid, time } from "./fields.ts";
import { REQUESTED_AT_MAX_LENGTH } from "./kind.ts";

/** Most paths that a status lists of a plan; the API has them all. */
export const PLAN_MAX_PATHS = 20;

const count = () => z.int().min(0);

const lastRun = z.object({
  id: z.string().max(64).describe("Id of the run."),
  status: z.enum(["running", "success", "skipped", "error"]).describe("How it ended."),
  message: z.string().max(MESSAGE_MAX_LENGTH).describe("What it did, or why it failed."),
  added: count().describe("Entries that it added."),
  modified: count().describe("Entries that it changed."),
  deleted: count().describe("Entries that it removed."),
  startedAt: time().describe("When it began."),
  completedAt: time().optional().describe("When it ended."),
});

const plan = z.object({
  added: count().describe("Entries that a run would add."),
  modified: count().describe("Entries that it would change."),
  deleted: count().describe("Entries that it would remove."),
  paths: z.array(z.string().max(4096)).max(PLAN_MAX_PATHS).describe("The first of them."),
});

const webhook = z.object({
  id: z.string().max(64).optional().describe("The provider's id of the webhook."),
  url: z.string().max(2048).optional().describe("Where the provider delivers to."),
  state: z
    .enum(["Active", "Pending", "Unavailable"])
    .describe("`Unavailable`: polling goes on; an Event says why it cannot be had."),
  message: z.string().max(MESSAGE_MAX_LENGTH).optional().describe("Why it cannot be had, or why nothing arrives by it."),
  lastDeliveryAt: time().optional().describe("When the last delivery arrived, to the minute."),
});

export const repoSyncStatusSchema = z.object({
  observedGeneration: generation().optional().describe("The `metadata.generation` that the status speaks of."),
  conditions: conditions(),
  syncId: z.string().max(64).optional().describe("Id of the sync, as the API and commit trailers have it."),
  repository: z.string().max(253).optional().describe("Slug of the repository here."),
  branch: z.string().max(255).optional().describe("The branch here that is synced."),
  lastSyncedSha: oid().optional().describe("Source commit of the last success: the remote's of an import, ours of an export."),
  lastSyncedAt: time().optional().describe("When the last success was."),
  lastError: z.string().max(MESSAGE_MAX_LENGTH).optional().describe("Why the last run failed; absent after a success."),
  remoteSha: oid().optional().describe("Head of the remote at the last success."),
  localSha: oid().optional().describe("Head of the repository at the last success."),
  lastRun: lastRun.optional().describe("The last run that changed something or failed."),
  plan: plan.optional().describe("In mode `Plan`: what a run would change."),
  webhook: webhook.optional().describe("The webhook at the provider."),
  lastHandledReconcileAt: z
    .string()
    .max(REQUESTED_AT_MAX_LENGTH)
    .optional()
    .describe("The value of the annotation `coregit.dev/requestedAt` that was last acted on."),
});

export type RepoSyncStatus = z.output<typeof repoSyncStatusSchema>;
