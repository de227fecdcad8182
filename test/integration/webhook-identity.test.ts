// Webhooks of repositories whose names lead elsewhere: looked after and removed where the repository is, and never at another one
// that has its old name.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { activeHooks, checkNow, isImported } from "../support/webhook-states.ts";
import { openWebhookWorld, type ProviderPlace, REMOTE, WEBHOOK_PLACES, type WebhookWorld } from "../support/webhook-world.ts";

const within = { timeout: 10_000, interval: 20 };

describe.each(WEBHOOK_PLACES)("a repository at %s that was renamed, whose old name somebody else has taken,", (_name, start) => {
  let w: WebhookWorld;
  let place: ProviderPlace;
  let sync: Awaited<ReturnType<WebhookWorld["declare"]>>;
  let other: Awaited<ReturnType<ProviderPlace["addRepository"]>>;

  beforeEach(async () => {
    w = await openWebhookWorld(start);
    place = w.place;
    await w.startRegistrar();
    sync = await w.declare();
    await activeHooks(w, sync);
    await isImported(w, (await place.head()) ?? "");
    await w.engine.drain();
    await place.settled();
    place.rename("team/renamed");
    other = await place.addRepository(REMOTE);
    // What would be mistaken for ours, if anybody looked.
    other.addHook(w.addressOf(sync));
    place.clear();
  });
  afterEach(() => w[Symbol.asyncDispose]());

  const othersHooks = () => other.hooks().map(({ url }) => url);

  test("has its webhook made anew when that was deleted", async () => {
    place.deleteHooks();
    other.addHook(w.addressOf(sync));
    await checkNow(w, sync);
    await expect.poll(() => place.hooks().map(({ url }) => url), within).toEqual([w.addressOf(sync)]);
    expect(othersHooks()).toEqual([w.addressOf(sync)]);
  });

  test("loses its webhook when the sync is no longer automatic", async () => {
    await w.declare({ autoSync: false });
    await expect.poll(() => place.hooks(), within).toEqual([]);
    expect(othersHooks()).toEqual([w.addressOf(sync)]);
  });

  test("loses its webhook when the sync is withdrawn", async () => {
    const oid = await place.commit({ "news.txt": "1\n" });
    await isImported(w, oid);
    await w.engine.drain();
    await w.withdraw();
    await expect.poll(() => place.hooks(), within).toEqual([]);
    expect(othersHooks()).toEqual([w.addressOf(sync)]);
  });

  test("loses its webhook when the sync is withdrawn before it noticed the name", async () => {
    await w.withdraw();
    await expect.poll(() => place.hooks(), within).toEqual([]);
    expect(othersHooks()).toEqual([w.addressOf(sync)]);
  });

  test("loses its webhook when all that is known of it is what the sync was tied to", async () => {
    await w.http.world.database.query("UPDATE webhooks SET remote_id = NULL");
    await w.withdraw();
    await expect.poll(() => place.hooks(), within).toEqual([]);
    expect(othersHooks()).toEqual([w.addressOf(sync)]);
  });

  test("gets no webhook once it is gone, and the other one none either", async () => {
    await place.deleteRepository();
    await checkNow(w, sync);
    await expect.poll(async () => (await w.row(sync))?.state, within).toBe("Unavailable");
    expect(othersHooks()).toEqual([w.addressOf(sync)]);
  });
});
