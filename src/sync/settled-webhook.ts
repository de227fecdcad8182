// Waits until somebody has asked the provider for the webhook of a new sync.
import { CHANNELS, type Database } from "../db/database.ts";
import { readSyncStatus } from "../db/sync-status.ts";

/** A provider answers within a second or two; whoever made the sync is not kept for one that does not. */
const PATIENCE_MS = 5_000;

/** Resolves when the webhook is no longer pending, or after five seconds. */
export async function settledWebhook(database: Database, syncId: string): Promise<void> {
  let news = Promise.withResolvers<"news" | "late">();
  const timer = setTimeout(() => news.resolve("late"), PATIENCE_MS);
  using _timer = { [Symbol.dispose]: () => clearTimeout(timer) };
  await using _listener = await database.listen(CHANNELS.syncChanged, {
    onMessage: (id) => (id === syncId ? news.resolve("news") : undefined),
    onGap: () => news.resolve("news"),
  });
  while (await isPending(database, syncId)) {
    if ((await news.promise) === "late") return;
    news = Promise.withResolvers();
  }
}

async function isPending(database: Database, syncId: string): Promise<boolean> {
  const sync = await readSyncStatus(database, syncId);
  return sync !== null && (sync.webhook === null || sync.webhook.state === "Pending");
}
