// Webhooks at providers, on doubles that really send them: made, taken over, verified and healed, one of them whatever happens in
// between.
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seal } from "../../src/db/seal.ts";
import { openSyncConfigs } from "../../src/sync/sync-configs.ts";
import { QUIET_SPEC } from "../support/quiet-spec.ts";
import { activeHooks, checkNow, isImported } from "../support/webhook-states.ts";
import {
  openWebhookWorld,
  type ProviderPlace,
  REMOTE,
  startGitHubPlace,
  startGitLabPlace,
  WEBHOOK_PLACES,
  type WebhookWorld,
} from "../support/webhook-world.ts";

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

  test("is made once, and a push that it announces is imported", async () => {
    await w.startRegistrar();
    await w.startRegistrar();
    const sync = await w.declare();
    const [hook, ...more] = await active(sync);
    expect(hook?.url).toBe(w.addressOf(sync));
    expect(more).toEqual([]);
    await imported((await place.head()) ?? "");
    await w.engine.drain();
    const oid = await place.commit({ "news.txt": "1\n" });
    await imported(oid);
    await place.settled();
    expect((await w.row(sync))?.last_delivery_at).toBeInstanceOf(Date);
    expect(place.hooks()).toEqual([hook]);
  });

  test("wants pushes alone, and its certificate checked", async () => {
    await w.startRegistrar();
    await active(await w.declare());
    const [made] = place.requests.filter(
      ({ method, route, status }) => method === "POST" && /hooks$/.test(route ?? "") && status === 201,
    );
    expect(made?.json).toMatchObject(
      place.provider === "github"
        ? { active: true, events: ["push"], config: { content_type: "json", insecure_ssl: "0" } }
        : {
            push_events: true,
            tag_push_events: false,
            enable_ssl_verification: true,
            signing_token: expect.stringMatching(/^whsec_/),
          },
    );
  });

  test("takes one request to verify, and nothing is written when all is well", async () => {
    await w.startRegistrar();
    const sync = await w.declare();
    await active(sync);
    await place.settled();
    await w.engine.drain();
    await check(sync);
    const unsettled = async () => (await w.row(sync))?.next_check_at === Infinity || (await w.row(sync))?.lease_until !== null;
    await expect.poll(unsettled, within).toBe(false);
    place.clear();
    const before = await w.http.world.database.query("SELECT state, hook_id, message FROM webhooks");
    await check(sync);
    await expect.poll(() => place.requests.length, within).toBe(1);
    await expect.poll(unsettled, within).toBe(false);
    expect(place.requests.map(({ method }) => method)).toEqual(["GET"]);
    expect((await w.http.world.database.query("SELECT state, hook_id, message FROM webhooks")).rows).toEqual(before.rows);
  });

  test("takes over one of its address with other secrets, and removes a second one", async () => {
    const sync = await w.declare();
    place.addHook(w.addressOf(sync));
    if (place.provider === "gitlab") place.addHook(w.addressOf(sync));
    place.addHook("https://elsewhere.example.com/hook");
    const [first] = place.hooks();
    await w.startRegistrar();
    const hooks = await active(sync);
    expect(hooks).toHaveLength(2);
    expect(hooks[0]).toEqual(first);
    await imported((await place.head()) ?? "");
    await w.engine.drain();
    await imported(await place.commit({ "a.txt": "1\n" }));
  });

  test.each(["deleted", "switched off"])("is healed when a poll finds news after it was %s", async (how) => {
    await w.startRegistrar();
    const sync = await w.declare();
    await active(sync);
    await imported((await place.head()) ?? "");
    await w.engine.drain();
    await imported(await place.commit({ "announced.txt": "1\n" }));
    await w.engine.drain();
    if (how === "deleted") place.deleteHooks();
    else place.disableHooks();
    const silent = await place.commit({ "silent.txt": "1\n" });
    await w.http.world.triggers.run(sync.id, {}, AbortSignal.timeout(20_000));
    await imported(silent);
    await expect.poll(() => place.hooks().length, within).toBe(1);
    await active(sync);
    await place.settled();
    await w.engine.drain();
    await expect
      .poll(async () => {
        const oid = await place.commit({ "again.txt": `${Math.random()}\n` });
        await place.settled();
        await w.engine.drain();
        return (await w.http.world.git(["log", "-1", "--format=%B", "main"], "site")).includes(oid);
      }, within)
      .toBe(true);
  });

  test("is had as soon as another credential may have it; until then the sync polls", async () => {
    await w.connect(place.weakToken());
    await w.startRegistrar();
    const sync = await w.declare();
    await expect.poll(async () => (await w.row(sync))?.state, within).toBe("Unavailable");
    expect((await w.row(sync))?.message).toMatch(/\S/);
    expect((await w.http.world.settle(w.engine, sync)).lastErrorCode).toBeNull();
    await w.connect(place.token);
    await active(sync);
    expect(place.hooks()).toHaveLength(1);
  });

  test("gets its secrets back when somebody gave it others, once the provider tells that deliveries fail", async () => {
    await w.startRegistrar();
    const sync = await w.declare();
    await active(sync);
    await imported((await place.head()) ?? "");
    await w.engine.drain();
    await place.settled();
    place.changeSecrets();
    // GitLab forgives three failures.
    for (let index = 0; index < 5; index += 1) {
      await place.commit({ "refused.txt": `${index}\n` });
      await place.settled();
    }
    await expect
      .poll(async () => {
        await check(sync);
        const oid = await place.commit({ "believed.txt": `${Math.random()}\n` });
        await place.settled();
        await w.engine.drain();
        return (await w.http.world.git(["log", "-1", "--format=%B", "main"], "site")).includes(oid);
      }, within)
      .toBe(true);
  });

  test("says so when no key opens its secret", async () => {
    await w.startRegistrar();
    const sync = await w.declare();
    await active(sync);
    const secret = seal([randomBytes(32)], { what: "webhook secret", id: String((await w.row(sync))?.id) }, randomBytes(32));
    await w.http.world.database.query("UPDATE webhooks SET secret = $1", [secret]);
    await check(sync);
    await expect.poll(async () => (await w.row(sync))?.state, within).toBe("Unavailable");
    expect((await w.row(sync))?.message).toContain("COREGIT_ENCRYPTION_KEY");
  });

  test("is not made without a public address, and made once there is one", async () => {
    const nowhere = await w.startRegistrar({ publicUrl: null });
    const sync = await w.declare();
    await expect.poll(async () => (await w.row(sync))?.state, within).toBe("Unavailable");
    expect((await w.row(sync))?.message).toContain("COREGIT_PUBLIC_URL");
    expect(place.hooks()).toEqual([]);
    await nowhere[Symbol.asyncDispose]();
    await w.startRegistrar();
    await active(sync);
    expect(place.hooks().map(({ url }) => url)).toEqual([w.addressOf(sync)]);
  });
});

test("a GitLab that knows no signing tokens is told, and believed, by the plain one", async () => {
  await using w = await openWebhookWorld(() => startGitLabPlace("18.11.0"));
  await w.startRegistrar();
  const sync = await w.declare();
  await expect.poll(async () => (await w.row(sync))?.state, within).toBe("Active");
  await w.engine.drain();
  const oid = await w.place.commit({ "news.txt": "1\n" });
  await expect.poll(async () => (await w.http.world.declarations.readSync(sync.id))?.lastSyncedSha, within).toBe(oid);
});

test("a sync that the API declares is answered with the id of its webhook", async () => {
  await using w = await openWebhookWorld(startGitHubPlace);
  await w.startRegistrar();
  const { http, place } = w;
  const body = { provider: "github", label: "Hub", access_token: place.token, base_url: place.url };
  const connectionId = String((await http.ask("/v1/connections", { method: "POST", body })).body.id);
  await http.ask("/v1/repos", { method: "POST", body: { slug: "mine" } });
  const configs = openSyncConfigs(http.world.database, { awaitsWebhooks: true });
  const spec = { ...QUIET_SPEC, remote: REMOTE, branch: "main" };
  const { webhook } = await configs.create({ namespace: "default", slug: "mine" }, { connectionId, spec });
  const [hook] = place.hooks();
  expect(webhook).toMatchObject({ id: String(hook?.id), url: hook?.url, state: "Active", message: null });
  await configs.remove({ namespace: "default", slug: "mine" });
  await expect.poll(() => place.hooks(), within).toEqual([]);
});
