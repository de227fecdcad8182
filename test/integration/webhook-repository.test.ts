// Webhooks know their repository by its number, whatever becomes of the sync: they are looked after and removed there alone.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { activeHooks, checkNow } from "../support/webhook-states.ts";
import { openWebhookWorld, type ProviderPlace, REMOTE, WEBHOOK_PLACES, type WebhookWorld } from "../support/webhook-world.ts";

const within = { timeout: 10_000, interval: 20 };

describe.each(WEBHOOK_PLACES)("a webhook at %s whose sync never ran", (_name, start) => {
  let w: WebhookWorld;
  let place: ProviderPlace;
  let sync: Awaited<ReturnType<WebhookWorld["declare"]>>;
  const rows = async () => (await w.http.world.database.query("SELECT remote_id FROM webhooks")).rows;

  beforeEach(async () => {
    w = await openWebhookWorld(start);
    place = w.place;
    const registrar = await w.startRegistrar();
    sync = await w.declare({ suspend: true });
    await activeHooks(w, sync);
    await registrar[Symbol.asyncDispose]();
    await place.settled();
  });
  afterEach(() => w[Symbol.asyncDispose]());

  async function takeName() {
    place.rename("team/renamed");
    const other = await place.addRepository(REMOTE);
    other.addHook(w.addressOf(sync));
    return other;
  }

  test("is removed at its repository, which was renamed after the sync was gone, and not at the one of its old name", async () => {
    await w.withdraw();
    const other = await takeName();
    place.clear();
    await w.startRegistrar();
    await expect.poll(rows, within).toEqual([]);
    expect(place.hooks()).toEqual([]);
    expect(other.hooks().map(({ url }) => url)).toEqual([w.addressOf(sync)]);
    expect(place.requests.filter(({ path }) => decodeURIComponent(path).includes(REMOTE))).toEqual([]);
  });

  test("is looked for nowhere else when its repository is gone", async () => {
    const other = await takeName();
    await place.deleteRepository();
    await w.withdraw();
    await w.startRegistrar();
    await expect.poll(rows, within).toEqual([]);
    expect(other.hooks().map(({ url }) => url)).toEqual([w.addressOf(sync)]);
  });

  test("moves to the repository that the sync is tied to by its first run", async () => {
    place.rename("team/renamed");
    const other = await place.addRepository(REMOTE);
    await w.declare();
    await w.engine.drain();
    await w.startRegistrar();
    await expect.poll(() => other.hooks().map(({ url }) => url), within).toEqual([w.addressOf(sync)]);
    expect(place.hooks()).toEqual([]);
    await activeHooks(w, sync);
  });

  test("is given the number of its repository when an older program made it", async () => {
    const known = await rows();
    await w.http.world.database.query("UPDATE webhooks SET remote_id = NULL");
    await w.startRegistrar();
    await checkNow(w, sync);
    await expect.poll(rows, within).toEqual(known);
    expect(known).toEqual([{ remote_id: expect.stringMatching(/^\d+$/) }]);
  });
});
