// News that no delivery announced: the webhook was deleted, switched off, or lost one. It is looked after at once, and not when
// its turn comes.
import { suspectWebhook } from "../db/webhook-wants.ts";
import type { Oid } from "../domain/oid.ts";
import type { Run } from "./run.ts";

/** `remote`: the head that an import has just read. What it saw first, or under another declaration, nobody had to announce. */
export async function suspectSilence({ claim, request, deps }: Run, remote: Oid): Promise<void> {
  const { seen, isAnnounced, lease } = claim;
  if (request.isBeside || isAnnounced || seen.remote === null || seen.remote === remote) return;
  if (await suspectWebhook(deps.database, lease.syncId)) {
    deps.logger.info("The remote has news that no delivery announced; its webhook is verified.");
  }
}
