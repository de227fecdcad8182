// Webhooks at providers that are not wanted any more, or somewhere else: removed, and the next one made in their place.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { activeHooks, checkNow, isImported } from "../support/webhook-states.ts";
import { openWebhookWorld, type ProviderPlace, WEBHOOK_PLACES, type WebhookWorld } from "../support/webhook-world.ts";

const within = { timeout: 10_000, interval: 20 };

describe.each(WEBHOOK_PLACES)("a webhook at %s", (_name, start) => {
  let w: WebhookWorld;
  let place: ProviderPlace;

  beforeEach(async () => {
    w = await openWebhookWorld(start);
    place = w.place;
  });
  afterEach(() => w[Symbol.asyncDispose]());

  const active = (sync: { readonly id: string }) => activeHooks(w, sync);
  const imported = (oid: string) => isImported(w, oid);
  const check = (sync: { readonly id: string }) => checkNow(w, sync);

  test.each([
    ["the sync is withdrawn", (world: WebhookWorld) => world.withdraw()],
    ["it becomes an export", (world: WebhookWorld) => world.declare({ direction: "export" })],
    ["it is no longer automatic", (world: WebhookWorld) => world.declare({ autoSync: false })],
    ["its repository is removed", (world: WebhookWorld) => world.http.ask("/v1/repos/site?cascade=true", { method: "DELETE" })],
    [
      "connection and sync are withdrawn together",
      async (world: WebhookWorld) => {
        await world.withdrawConnection();
        await world.withdraw();
      },
    ],
  ] as const)("is removed when %s", async (what, change) => {
    await w.startRegistrar();
    const sync = await w.declare();
    await active(sync);
    await w.engine.drain();
    if (what === "its repository is removed") await w.http.world.database.query("UPDATE syncs SET owner_kind = 'api'");
    await change(w);
    await expect.poll(() => place.hooks(), within).toEqual([]);
    const rows = "SELECT id FROM webhooks WHERE retired_at IS NOT NULL";
    await expect.poll(async () => (await w.http.world.database.query(rows)).rows, within).toEqual([]);
  });

  test("is wanted again before it was removed", async () => {
    await w.startRegistrar();
    const sync = await w.declare();
    await active(sync);
    await w.declare({ autoSync: false });
    await w.declare({ autoSync: true });
    await active(sync);
    await expect.poll(() => place.hooks().map(({ url }) => url), within).toEqual([w.addressOf(sync)]);
    await w.engine.drain();
    await imported(await place.commit({ "b.txt": "1\n" }));
  });

  test("that cannot be removed is given up: the credential was revoked", async () => {
    await w.startRegistrar();
    await active(await w.declare());
    place.revokeToken();
    await w.withdrawConnection();
    await w.withdraw();
    const rows = async () => (await w.http.world.database.query("SELECT id FROM webhooks")).rows;
    await expect.poll(rows, within).toEqual([]);
  });

  test("is wanted again while two of its address wait to be removed", async () => {
    await w.connect(place.weakToken());
    // The second one got the address of the first, which could not be removed, once there was one again.
    for (const publicUrl of [w.http.url, null, w.http.url]) {
      await using _registrar = await w.startRegistrar({ publicUrl });
      const sync = await w.declare();
      await expect.poll(async () => (await w.row(sync))?.url, within).toBe(publicUrl === null ? null : w.addressOf(sync));
    }
    await w.startRegistrar();
    const sync = await w.declare({ autoSync: false });
    await expect.poll(() => w.row(sync), within).toBeNull();
    expect((await w.http.world.database.query("SELECT id FROM webhooks")).rows).toHaveLength(2);
    await w.declare();
    await w.connect(place.token);
    await active(sync);
  });

  test("is removed as soon as another credential may remove it", async () => {
    await w.startRegistrar();
    const sync = await w.declare();
    await active(sync);
    await w.connect(place.weakToken());
    await w.declare({ autoSync: false });
    const refusals = async () => (await w.http.world.database.query("SELECT failures FROM webhooks")).rows[0]?.failures;
    await expect.poll(refusals, within).toBe(1);
    await w.connect(place.token);
    await expect.poll(() => place.hooks(), within).toEqual([]);
  });

  test("moves to another address of ours", async () => {
    const before = await w.startRegistrar({ publicUrl: "http://127.0.0.1:9" });
    const sync = await w.declare();
    await active(sync);
    await before[Symbol.asyncDispose]();
    await w.startRegistrar();
    await expect.poll(() => place.hooks().map(({ url }) => url), within).toEqual([w.addressOf(sync)]);
    await active(sync);
  });

  test("follows a repository that was renamed", async () => {
    await w.startRegistrar();
    const sync = await w.declare();
    await active(sync);
    await place.settled();
    place.deleteHooks();
    place.rename("team/renamed");
    await check(sync);
    await expect.poll(() => place.hooks().map(({ url }) => url), within).toEqual([w.addressOf(sync)]);
  });
});
