// kill -9 of a process that removes a webhook, after each request that it makes has been done and before it can know. The sync is
// gone, the repository has another name, and somebody else has the old one. Whoever comes next leaves nothing of ours and touches
// nothing of others.
import { expect, test } from "vitest";
import { type ChildProgram, isEnded, startChildProgram } from "../support/child-program.ts";
import { activeHooks, endLeases, isLeftAlone } from "../support/webhook-states.ts";
import type { WebhookWorkerSettings } from "../support/webhook-worker.ts";
import { openWebhookWorld, REMOTE, WEBHOOK_PLACES, type WebhookWorld } from "../support/webhook-world.ts";

const within = { timeout: 20_000, interval: 20 };
/** Longer than a busy machine takes over the first request of a process; those of a killed one are ended. */
const LEASE_MS = 30_000;
const API = /\/api\//;
const NOTHING = { kind: "before", run: async () => undefined } as const;
const THEIRS = "http://127.0.0.1:9/theirs";

test.each(WEBHOOK_PLACES)("a removal killed after any of its requests to %s leaves nothing of ours", async (_name, start) => {
  await using w = await openWebhookWorld(start);
  const { place, http } = w;
  await using stack = new AsyncDisposableStack();
  const startWorker = (): ChildProgram => {
    const settings: WebhookWorkerSettings = { url: http.world.url, publicUrl: http.url, leaseMs: LEASE_MS };
    return stack.adopt(startChildProgram("webhook-worker.ts", [JSON.stringify(settings)]), (worker) => worker.end("SIGKILL"));
  };
  place.addHook(THEIRS);
  let remote = REMOTE;
  let worker = startWorker();
  let killed = 0;
  for (let isPast = false; !isPast; ) {
    const doomed = worker;
    const { other, url } = await registered(w, remote, `team/site-${killed}`);
    remote = `team/site-${killed}`;
    place.clear();
    if (killed > 0) place.faults.order(API, NOTHING, killed);
    place.faults.order(API, { kind: "after", run: () => doomed.end("SIGKILL") });
    await w.withdraw();
    await expect.poll(async () => isEnded(doomed) || (await isForgotten(w)), within).toBe(true);
    isPast = place.faults.pending > 0;
    place.faults.clear();
    if (!isPast) {
      await endLeases(w);
      worker = startWorker();
    }
    await expect.poll(() => isForgotten(w), within).toBe(true);
    const hooks = { ours: urlsOf(place), others: urlsOf(other) };
    expect(hooks, `killed after request ${killed + 1}`).toEqual({ ours: [THEIRS], others: [url] });
    expect(place.requests.filter(({ status }) => (status ?? 0) >= 400)).toEqual([]);
    if (!isPast) killed += 1;
  }
  await worker.end("SIGTERM");
  expect(await worker.exitCode).toBe(0);
  // It lists what there is, and removes two.
  expect(killed).toBe(3);
});

/** A sync that never ran has two webhooks; its repository gets the name `next`, and another one, with a third of them, that of before. */
async function registered(w: WebhookWorld, remote: string, next: string) {
  const sync = await w.declare({ suspend: true, remote });
  await activeHooks(w, sync);
  await w.place.settled();
  await isLeftAlone(w);
  const url = w.addressOf(sync);
  w.place.addHook(url);
  w.place.rename(next);
  const other = await w.place.addRepository(remote);
  other.addHook(url);
  return { other, url };
}

async function isForgotten({ http }: WebhookWorld): Promise<boolean> {
  return (await http.world.database.query("SELECT id FROM webhooks")).rows.length === 0;
}

function urlsOf(place: Pick<WebhookWorld["place"], "hooks">): readonly string[] {
  return place.hooks().map(({ url }) => url);
}
