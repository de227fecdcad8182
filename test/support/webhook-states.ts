// What tests of webhooks wait for, and the one thing that they hurry.
import { expect } from "vitest";
import { CHANNELS } from "../../src/db/database.ts";
import type { HookAtProvider, WebhookWorld } from "./webhook-world.ts";

type Named = { readonly id: string };

const within = { timeout: 10_000, interval: 20 };

/** The webhook works; resolves with what the provider has. */
export async function activeHooks(world: WebhookWorld, sync: Named): Promise<readonly HookAtProvider[]> {
  const state = async () => {
    const row = await world.row(sync);
    return [row?.state, row?.message];
  };
  await expect.poll(state, within).toEqual(["Active", null]);
  return world.place.hooks();
}

/** The commit `oid` of the remote is imported. */
export async function isImported({ http }: WebhookWorld, oid: string): Promise<void> {
  const message = async () => await http.world.git(["log", "-1", "--format=%B", "main"], "site");
  await expect.poll(message, within).toContain(oid);
}

/** Nobody looks after a webhook now or in the next minute: what is done to it at the provider stays. */
export async function isLeftAlone({ http }: WebhookWorld): Promise<void> {
  const sql = "SELECT id FROM webhooks WHERE lease_until IS NOT NULL OR next_check_at < now() + interval '1 minute'";
  await expect.poll(async () => (await http.world.database.query(sql)).rows, within).toEqual([]);
}

/** As if the time of whoever held a webhook when it was killed were over. */
export async function endLeases({ http }: WebhookWorld): Promise<void> {
  await http.world.database.query("UPDATE webhooks SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL");
}

/** Has the sync's webhook looked after at once. */
export async function checkNow({ http }: WebhookWorld, { id }: Named): Promise<void> {
  const { database } = http.world;
  await database.query("UPDATE webhooks SET next_check_at = now() WHERE sync_id = $1", [id]);
  await database.query("SELECT pg_notify($1, $2)", [CHANNELS.webhookDue, id]);
}
