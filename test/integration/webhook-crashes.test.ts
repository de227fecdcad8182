// Workers that die at each request of a registration and of a removal, before the provider has done it and after: whoever comes
// next ends with exactly one webhook, or with none, and deliveries are believed.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newRowId } from "../../src/db/row-id.ts";
import { seal } from "../../src/db/seal.ts";
import { alignWebhooks, insertWebhook } from "../../src/db/webhook-wants.ts";
import { claimWebhooks } from "../../src/db/webhooks.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { tendWebhook } from "../../src/sync/tend-webhook.ts";
import { TEST_KEYS } from "../support/quiet-spec.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { openWebhookWorld, type ProviderPlace, WEBHOOK_PLACES, type WebhookWorld } from "../support/webhook-world.ts";

const SHORT_LEASE_MS = 40;
const within = { timeout: 10_000, interval: 10 };
const MOMENTS = ["before", "after"] as const;

type Moment = (typeof MOMENTS)[number];

describe.each(WEBHOOK_PLACES)("at %s", (_name, start) => {
  let w: WebhookWorld;
  let place: ProviderPlace;
  beforeEach(async () => {
    w = await openWebhookWorld(start);
    place = w.place;
  });
  afterEach(() => w[Symbol.asyncDispose]());

  /** A worker takes the row and dies at its `index`th request. False: it made fewer. */
  async function dieAt(index: number, kind: Moment): Promise<boolean> {
    const { database, remotes } = w.http.world;
    const [hook] = await claimWebhooks(database, 1, SHORT_LEASE_MS);
    if (hook === undefined) throw new Error("There is no webhook to look after.");
    const died = Promise.withResolvers<"died">();
    let requests = 0;
    const run = async (): Promise<void> => {
      requests += 1;
      if (requests !== index) return;
      died.resolve("died");
      await new Promise(() => undefined);
    };
    place.faults.order(/\/hooks/, { kind, run }, 1_000);
    const options = {
      database,
      keys: TEST_KEYS,
      webhooks: remotes,
      clock: systemClock,
      random: Math.random,
      logger: silentLogger,
    };
    const ended = tendWebhook(options, hook, new AbortController().signal).then(() => "ended" as const);
    ended.catch(() => undefined);
    const how = await Promise.race([died.promise, ended]);
    place.faults.clear();
    return how === "died";
  }

  async function declareWithRow() {
    const { database } = w.http.world;
    const sync = await w.declare();
    await w.engine.drain();
    for (const wanted of await alignWebhooks(database, null, w.http.url)) {
      const id = newRowId("hook");
      const sealedSecret = seal(TEST_KEYS, { what: "webhook secret", id }, Buffer.alloc(32, id));
      await insertWebhook(database, { ...wanted, id, sealedSecret });
    }
    return sync;
  }

  const left = async () => (await w.http.world.database.query("SELECT id FROM webhooks")).rows;

  test.each(MOMENTS)("a registration that dies %s any of its requests ends with one webhook", async (kind) => {
    let index = 1;
    for (; ; index += 1) {
      const sync = await declareWithRow();
      const hasDied = await dieAt(index, kind);
      await using _next = await w.startRegistrar();
      await expect.poll(async () => (await w.row(sync))?.state, within).toBe("Active");
      expect(place.hooks().map(({ url }) => url)).toEqual([w.addressOf(sync)]);
      await w.engine.drain();
      await place.commit({ "change.txt": `${index} ${kind}\n` });
      await place.settled();
      await expect.poll(async () => (await w.row(sync))?.last_delivery_at, within).toBeInstanceOf(Date);
      await w.engine.drain();
      await w.withdraw();
      await expect.poll(left, within).toEqual([]);
      expect(place.hooks()).toEqual([]);
      if (!hasDied) break;
    }
    expect(index).toBeGreaterThan(2);
  });

  test.each(MOMENTS)("a removal that dies %s any of its requests ends with none", async (kind) => {
    let index = 1;
    for (; ; index += 1) {
      const first = await w.startRegistrar();
      const sync = await w.declare();
      await expect.poll(async () => (await w.row(sync))?.state, within).toBe("Active");
      await first[Symbol.asyncDispose]();
      await place.settled();
      await w.engine.drain();
      await w.withdraw();
      await alignWebhooks(w.http.world.database, null, w.http.url);
      const hasDied = await dieAt(index, kind);
      await using _next = await w.startRegistrar();
      await expect.poll(left, within).toEqual([]);
      expect(place.hooks()).toEqual([]);
      if (!hasDied) break;
    }
    expect(index).toBeGreaterThan(2);
  });
});
