// Registrations of webhooks of which each request in turn goes wrong in each way. Whatever happens, the next good look ends with one
// webhook, whose deliveries are believed.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Fault } from "../support/providers/faults.ts";
import { activeHooks, checkNow } from "../support/webhook-states.ts";
import { openWebhookWorld, type ProviderPlace, WEBHOOK_PLACES, type WebhookWorld } from "../support/webhook-world.ts";

const within = { timeout: 10_000, interval: 20 };
const API = /\/api\//;
const NOTHING: Fault = { kind: "before", run: async () => undefined };
/** More than JavaScript's numbers can tell apart. */
const HUGE_ID = "12345678901234567890123";

const FAULTS: readonly [what: string, fault: Fault][] = [
  ["a broken connection", { kind: "reset" }],
  ["an answer that is lost", { kind: "loseAnswer" }],
  ["a bad gateway after all was done", { kind: "answerAfter", status: 502, body: "<html>Bad Gateway</html>" }],
  ["half an answer", { kind: "halfAnswer", end: "complete" }],
  ["a page instead of JSON", { kind: "answer", status: 200, body: "<html>Sign in</html>" }],
  ["a refusal", { kind: "answer", status: 403, body: '{"message":"Forbidden"}' }],
  ["a limit", { kind: "answer", status: 429, body: "Retry later\n", headers: { "retry-after": "1" } }],
  ["an id that is none", { kind: "answerAfter", status: 201, body: `{"id":${HUGE_ID}}` }],
];

describe.each(WEBHOOK_PLACES)("a webhook at %s", (_name, start) => {
  let w: WebhookWorld;
  let place: ProviderPlace;
  beforeAll(async () => {
    w = await openWebhookWorld(start);
    place = w.place;
    await w.startRegistrar();
  });
  afterAll(() => w[Symbol.asyncDispose]());

  test.each(FAULTS)("is one, whichever of its requests meets %s", async (_what, fault) => {
    let index = 0;
    for (let isMet = true; isMet; index += 1) {
      if (index > 0) place.faults.order(API, NOTHING, index);
      place.faults.order(API, fault);
      // No run of it asks the provider anything.
      const sync = await w.declare({ suspend: true });
      const isLookedAt = async () => !["Pending", undefined].includes((await w.row(sync))?.state as string | undefined);
      await expect.poll(isLookedAt, within).toBe(true);
      isMet = place.faults.pending === 0;
      place.faults.clear();
      await checkNow(w, sync);
      const hooks = await activeHooks(w, sync);
      expect([index, hooks.map(({ url }) => url)]).toEqual([index, [w.addressOf(sync)]]);
      await place.commit({ "change.txt": `${fault.kind} ${index}\n` });
      await place.settled();
      await expect.poll(async () => (await w.row(sync))?.last_delivery_at, within).toBeInstanceOf(Date);
      await w.withdraw();
      await expect.poll(async () => (await w.http.world.database.query("SELECT id FROM webhooks")).rows, within).toEqual([]);
      expect(place.hooks()).toEqual([]);
    }
    expect(index).toBeGreaterThan(2);
  });
});
