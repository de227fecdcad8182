// What an Event says of a webhook: why it cannot be had. The sync is none the less ready.
import type { RepoSyncStatus } from "../resources/repo-sync-status.ts";

type Webhook = RepoSyncStatus["webhook"];

/** Null: there is nothing to say, or it was said. */
export function webhookNews(before: Webhook, after: Webhook) {
  if (after?.state !== "Unavailable" || (before?.state === after.state && before.message === after.message)) return null;
  const reason = "WebhookUnavailable";
  return { type: "Normal" as const, reason, action: "Reconcile", message: `Polling goes on. ${after.message ?? ""}`.trimEnd() };
}
