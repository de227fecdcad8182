// Sends notifications. Inside a transaction they leave with its commit, and equal ones leave once.
import { CHANNELS, type Queryable } from "./database.ts";

export type Channel = keyof typeof CHANNELS;

/** Notifies `channel` of each id. */
export async function notify(db: Queryable, channel: Channel, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db.query("SELECT pg_notify($1, id) FROM unnest($2::text[]) AS id", [CHANNELS[channel], ids]);
}
