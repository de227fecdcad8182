// kill -9 of a process that registers a webhook, after each request that it makes has been done and before it can know. Whoever comes
// next ends with one webhook, whose deliveries are believed.
import { expect, test } from "vitest";
import { type ChildProgram, isEnded, startChildProgram } from "../support/child-program.ts";
import { endLeases } from "../support/webhook-states.ts";
import type { WebhookWorkerSettings } from "../support/webhook-worker.ts";
import { openWebhookWorld, WEBHOOK_PLACES, type WebhookWorld } from "../support/webhook-world.ts";

const within = { timeout: 20_000, interval: 20 };
/** Longer than a busy machine takes over the first request of a process; those of a killed one are ended. */
const LEASE_MS = 30_000;
const API = /\/api\//;

test.each(WEBHOOK_PLACES)("a registrar killed after any of its requests to %s leaves one webhook", async (_name, start) => {
  await using w = await openWebhookWorld(start);
  const { place, http } = w;
  await using stack = new AsyncDisposableStack();
  const startWorker = (): ChildProgram => {
    const settings: WebhookWorkerSettings = { url: http.world.url, publicUrl: http.url, leaseMs: LEASE_MS };
    return stack.adopt(startChildProgram("webhook-worker.ts", [JSON.stringify(settings)]), (worker) => worker.end("SIGKILL"));
  };
  let worker = startWorker();
  let registered = 0;
  for (let isPast = false; !isPast; registered += 1) {
    const doomed = worker;
    await doomed.firstLine;
    if (registered > 0) place.faults.order(API, { kind: "before", run: async () => undefined }, registered);
    place.faults.order(API, { kind: "after", run: () => doomed.end("SIGKILL") });
    // No run of it asks the provider anything.
    const sync = await w.declare({ suspend: true });
    const isActive = async () => (await w.row(sync))?.state === "Active";
    await expect.poll(async () => isEnded(doomed) || (await isActive()), within).toBe(true);
    isPast = place.faults.pending > 0;
    place.faults.clear();
    if (!isPast) {
      await endLeases(w);
      worker = startWorker();
    }
    await expect.poll(isActive, within).toBe(true);
    const hooks = place.hooks().map(({ url }) => url);
    expect(hooks, `killed after request ${registered}`).toEqual([w.addressOf(sync)]);
    await place.commit({ "change.txt": `${registered}\n` });
    await place.settled();
    expect((await w.row(sync))?.last_delivery_at).toBeInstanceOf(Date);
    await withdrawn(w);
  }
  await worker.end("SIGTERM");
  // It asks which repository it is, lists what there is, and makes one.
  expect(registered).toBe(4);
});

/** The sync is gone, here and at the provider. */
async function withdrawn(w: WebhookWorld): Promise<void> {
  await w.withdraw();
  await expect.poll(async () => (await w.http.world.database.query("SELECT id FROM webhooks")).rows, within).toEqual([]);
  expect(w.place.hooks()).toEqual([]);
}
