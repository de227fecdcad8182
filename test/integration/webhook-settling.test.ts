// What webhooks and automatic exports make of each other: a pair on one pair of branches settles, bursts coalesce, and deliveries
// that are lost, doubled or out of order change nothing but the time.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SyncStatus } from "../../src/domain/declaration.ts";
import { commitHere } from "../support/local-commit.ts";
import { openWebhookWorld, type ProviderPlace, WEBHOOK_PLACES, type WebhookWorld } from "../support/webhook-world.ts";

const within = { timeout: 15_000, interval: 20 };

describe.each(WEBHOOK_PLACES)("at %s", (_name, start) => {
  let w: WebhookWorld;
  let place: ProviderPlace;
  let sync: SyncStatus;

  beforeEach(async () => {
    w = await openWebhookWorld(start);
    place = w.place;
    await w.startRegistrar();
    sync = await w.declare();
    await expect.poll(async () => (await w.row(sync))?.state, within).toBe("Active");
    await quiet();
  });
  afterEach(() => w[Symbol.asyncDispose]());

  /** Nothing is delivered, due or about to be, or running. */
  const quiet = async () => {
    const { database } = w.http.world;
    const sql = `SELECT 1 FROM syncs
      WHERE lease_owner IS NOT NULL OR LEAST(next_run_at, trigger_at) <= GREATEST(now(), quiet_until)`;
    await expect
      .poll(async () => {
        await place.settled();
        await w.engine.drain();
        return (await database.query(sql)).rowCount;
      }, within)
      .toBe(0);
  };
  const claims = async (id: string) => {
    const { rows } = await w.http.world.database.query<{ n: number }>("SELECT lease_epoch AS n FROM syncs WHERE id = $1", [id]);
    return rows[0]?.n ?? 0;
  };
  const commitsThere = () => place.count();
  const treeHere = () => w.http.world.tree("main", "site");
  const importedAt = async () => (await w.http.world.declarations.readSync(sync.id))?.lastSyncedSha;

  test("an import and an export of one pair of branches settle after one run each, whichever side moved", async () => {
    const exported = await w.http.world.declarations.declareSync({
      owner: { kind: "resource", ref: "uid-back" },
      namespace: "default",
      name: "back",
      repository: "site",
      connection: "site",
      spec: { ...sync.spec, direction: "export" },
    });
    await quiet();
    const ids = [sync.id, exported.id];
    const before = await Promise.all(ids.map(claims));
    const commits = await commitsThere();

    const theirs = await place.commit({ "theirs.txt": "1\n" });
    await expect.poll(importedAt, within).toBe(theirs);
    await expect.poll(() => claims(exported.id), within).toBeGreaterThan(before[1] ?? 0);
    await quiet();
    expect(await commitsThere()).toBe(commits + 1);
    const afterTheirs = await Promise.all(ids.map(claims));
    expect(afterTheirs).toEqual(before.map((count) => count + 1));

    const repository = await w.http.world.repository("site");
    await commitHere(w.http.world.store, repository, { "ours.txt": "1\n" });
    await expect.poll(commitsThere, within).toBe(commits + 2);
    const head = await place.head();
    await expect.poll(importedAt, within).toBe(head);
    await quiet();
    expect(await commitsThere()).toBe(commits + 2);
    expect(await place.tree()).toBe(await treeHere());
    // The import's look at what was exported moves nothing here, so the export is not asked again.
    expect(await Promise.all(ids.map(claims))).toEqual(afterTheirs.map((count) => count + 1));
  });

  test("a burst of pushes is a few runs, and the last of them is imported", async () => {
    const before = await claims(sync.id);
    let last = "";
    for (let index = 0; index < 12; index += 1) last = await place.commit({ "burst.txt": `${index}\n` });
    await expect.poll(importedAt, within).toBe(last);
    await quiet();
    expect((await claims(sync.id)) - before).toBeLessThanOrEqual(12);
    expect(await place.tree()).toBe(await treeHere());
  });

  test("a storm of deliveries about what is known asks the remote a few times, and a push right after it is imported", async () => {
    place.sender.fate = () => "hold";
    let last = "";
    for (let index = 0; index < 12; index += 1) last = await place.commit({ "storm.txt": `${index}\n` });
    await expect.poll(() => place.sender.held, within).toBe(12);
    await w.http.world.database.query("UPDATE syncs SET next_run_at = now()");
    await quiet();
    expect(await importedAt()).toBe(last);
    const before = await claims(sync.id);
    place.sender.fate = () => "send";
    await place.sender.release("reversed");
    await quiet();
    expect((await claims(sync.id)) - before).toBeLessThanOrEqual(2);
    await expect.poll(importedAt, within).toBe(await place.commit({ "storm.txt": "after\n" }));
  });

  test("deliveries that are doubled, held and let go in reverse end where the remote is", async () => {
    place.sender.fate = () => "twice";
    await expect.poll(importedAt, within).toBe(await place.commit({ "a.txt": "1\n" }));
    await quiet();
    place.sender.fate = () => "hold";
    let last = "";
    for (const index of [1, 2, 3]) last = await place.commit({ "b.txt": `${index}\n` });
    await expect.poll(() => place.sender.held, within).toBe(3);
    const before = await claims(sync.id);
    await place.sender.release("reversed");
    await expect.poll(importedAt, within).toBe(last);
    await quiet();
    expect((await claims(sync.id)) - before).toBeLessThanOrEqual(3);
    expect(await place.tree()).toBe(await treeHere());
  });
});
