// Sends notifications. Inside a transaction they leave with its commit, and equal ones leave once.
import { CHANNELS, type Queryable } from "./database.ts";

export type Channel = keyof typeof CHANNELS;

/** Notifies the channel, or each of them, of each id. */
export async function notify(db: Queryable, channel: Channel | readonly Channel[], ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const channels = [channel].flat().map((name) => CHANNELS[name]);
  const sql = "SELECT pg_notify(channel, id) FROM unnest($1::text[]) AS channel, unnest($2::text[]) AS id";
  await db.query(sql, [channels, ids], "notify");
}
