// Claims and leases on a real database: who gets a sync, and who may still write.
import { describe, expect, it, test } from "vitest";
import type { Database } from "../../src/db/database.ts";
import { insertRunning } from "../../src/db/runs.ts";
import { claimDueSyncs, endLease, type Lease, renewLeases } from "../../src/db/sync-leases.ts";
import { insertTrigger, settleTriggers, takeTriggers } from "../../src/db/triggers.ts";
import { withdrawSync } from "../../src/sync/declare-sync.ts";
import { reap } from "../../src/sync/reap.ts";
import { createTestDatabase } from "../support/database.ts";
import { QUIET_SPEC } from "../support/quiet-spec.ts";
import { until } from "../support/until.ts";

const LEASE = { leaseMs: 30_000 };

/** Due syncs `s0`, `s1`, …, the first due longest. */
async function insertSyncs(database: Database, count: number): Promise<void> {
  await insertDue(database, { namespace: "default", prefix: "s", count, dueSince: "1 hour" });
}

type Due = { readonly namespace: string; readonly prefix: string; readonly count: number; readonly dueSince: string };

async function insertDue(database: Database, { namespace, prefix, count, dueSince }: Due): Promise<void> {
  await database.query("INSERT INTO repositories (id, namespace, slug) VALUES ('r', 'default', 'r') ON CONFLICT DO NOTHING");
  await database.query(
    `INSERT INTO syncs (id, namespace, name, repository_id, owner_kind, spec, next_run_at)
     SELECT $3 || n, $4, $3 || n, 'r', 'file', $2, now() - $5::interval + n * interval '1 millisecond'
     FROM generate_series(0, $1::int - 1) AS n`,
    [count, JSON.stringify(QUIET_SPEC), prefix, namespace, dueSince],
  );
}

const claim = async (database: Database, owner: string, limit = 20) =>
  (await claimDueSyncs(database, { ...LEASE, owner, limit })).claims;

async function dueIn(database: Database, id: string): Promise<number | null> {
  const { rows } = await database.query<{ ms: number | null }>(
    "SELECT (extract(epoch FROM NULLIF(next_run_at, 'infinity') - now()) * 1000)::float8 AS ms FROM syncs WHERE id = $1",
    [id],
  );
  return rows[0]?.ms ?? null;
}

async function claimOne(database: Database, owner = "a"): Promise<Lease> {
  await insertSyncs(database, 1);
  const [claimed] = await claim(database, owner);
  if (claimed === undefined) throw new Error("Nothing was claimed.");
  return claimed.lease;
}

describe("claims", () => {
  it("give each due sync to one of many claimers, once", async () => {
    await using world = await createTestDatabase();
    await insertSyncs(world.database, 200);
    const claimers = Array.from({ length: 8 }, async (_, index) => {
      const claimed: string[] = [];
      for (;;) {
        const batch = await claim(world.database, `worker-${index}`, 7);
        if (batch.length === 0) return claimed;
        claimed.push(...batch.map(({ lease }) => lease.syncId));
      }
    });
    const all = (await Promise.all(claimers)).flat();
    expect(all).toHaveLength(200);
    expect(new Set(all).size).toBe(200);
  });

  it("take those due longest first, and nothing that is suspended, leased or due later", async () => {
    await using world = await createTestDatabase();
    await insertSyncs(world.database, 6);
    await world.database.query("UPDATE syncs SET suspended = true WHERE id = 's0'");
    await world.database.query("UPDATE syncs SET next_run_at = now() + interval '1 minute' WHERE id = 's1'");
    await world.database.query("UPDATE syncs SET next_run_at = 'infinity' WHERE id = 's2'");
    const first = await claim(world.database, "a", 1);
    expect(first.map(({ lease }) => lease)).toEqual([{ syncId: "s3", epoch: 1, owner: "a" }]);
    const rest = await claim(world.database, "b");
    expect(rest.map(({ lease }) => lease.syncId).sort()).toEqual(["s4", "s5"]);
  });

  it("give namespaces their turns: a thousand due syncs of one do not delay another's", async () => {
    await using world = await createTestDatabase();
    const { database } = world;
    await insertDue(database, { namespace: "crowd", prefix: "c", count: 1000, dueSince: "1 hour" });
    const next = async (limit: number) => (await claim(database, "a", limit)).map(({ lease }) => lease.syncId).sort();
    expect(await next(4)).toEqual(["c0", "c1", "c2", "c3"]);
    // Due just now, behind all of them.
    await insertDue(database, { namespace: "quiet", prefix: "q", count: 2, dueSince: "1 second" });
    await insertDue(database, { namespace: "calm", prefix: "k", count: 1, dueSince: "0 seconds" });
    expect(await next(1)).toEqual(["q0"]);
    expect(await next(2)).toEqual(["k0", "q1"]);
    // Nobody else waits: a worker is never free for want of a turn.
    expect(await next(20)).toHaveLength(20);
    await database.query("UPDATE syncs SET lease_owner = NULL, lease_until = NULL WHERE namespace = 'crowd'");
    await insertDue(database, { namespace: "other-crowd", prefix: "o", count: 1000, dueSince: "1 minute" });
    const shared = await next(20);
    expect(shared.filter((id) => id.startsWith("o"))).toHaveLength(10);
  });

  it("say when something else is due, and when the first lease ends, be it their own", async () => {
    await using world = await createTestDatabase();
    const look = (limit: number) => claimDueSyncs(world.database, { ...LEASE, owner: "b", limit });
    expect(await look(20)).toEqual({ claims: [], dueInMs: null, leaseEndsInMs: null });
    await insertSyncs(world.database, 3);
    await world.database.query("UPDATE syncs SET next_run_at = now() + interval '1 minute' WHERE id = 's2'");
    const first = await look(1);
    expect(first.claims).toHaveLength(1);
    expect(first.dueInMs).toBeLessThanOrEqual(0);
    expect(first.leaseEndsInMs).toBe(LEASE.leaseMs);
    for (const claimed of [1, 0]) {
      const { claims, dueInMs, leaseEndsInMs } = await look(20);
      expect(claims).toHaveLength(claimed);
      expect(dueInMs).toBeGreaterThan(50_000);
      expect(dueInMs).toBeLessThanOrEqual(60_000);
      expect(leaseEndsInMs).toBeGreaterThan(20_000);
      expect(leaseEndsInMs).toBeLessThanOrEqual(30_000);
    }
  });

  it("know of triggers that are open, also of one that a run had taken whose lease was ended for it", async () => {
    await using world = await createTestDatabase();
    const { database } = world;
    const isTriggered = async () => (await claim(database, "a")).map(({ hasTriggers }) => hasTriggers);
    const free = () => database.query("UPDATE syncs SET lease_owner = NULL, lease_until = NULL, next_run_at = now()");
    await insertSyncs(database, 1);
    expect(await isTriggered()).toEqual([false]);
    await free();
    await database.transaction((tx) => insertTrigger(tx, { id: "t", syncId: "s0", branch: null, mode: "Apply", runId: "run" }));
    expect(await isTriggered()).toEqual([true]);
    await takeTriggers(database, ["t"], { runId: "run", epoch: 2 });
    await free();
    expect(await isTriggered()).toEqual([true]);
    await settleTriggers(database, ["t"]);
    await free();
    expect(await isTriggered()).toEqual([false]);
  });

  it("come again for a trigger that came when there was none to know of", async () => {
    await using world = await createTestDatabase();
    const { database } = world;
    const lease = await claimOne(database);
    await database.transaction((tx) => insertTrigger(tx, { id: "t", syncId: "s0", branch: null, mode: "Apply", runId: "run" }));
    expect(await claim(database, "b")).toEqual([]);
    await endLease(database, lease, { nextRun: { afterMs: 3_600_000 }, generation: 1 });
    expect(await claim(database, "b")).toMatchObject([{ hasTriggers: true, isScheduled: false }]);
  });
});

describe("a lease", () => {
  it("ends with the next time set, or with none", async () => {
    await using world = await createTestDatabase();
    const lease = await claimOne(world.database);
    expect(await dueIn(world.database, "s0")).toBeNull();
    expect(await endLease(world.database, lease, { nextRun: { afterMs: 60_000 }, generation: 1 })).toBe(true);
    expect(await dueIn(world.database, "s0")).toBeGreaterThan(50_000);
  });

  it("that ends leaves due what became due meanwhile", async () => {
    await using world = await createTestDatabase();
    const lease = await claimOne(world.database);
    await world.database.query("UPDATE syncs SET next_run_at = now()");
    await endLease(world.database, lease, { nextRun: { afterMs: 60_000 }, generation: 1 });
    expect(await dueIn(world.database, "s0")).toBeLessThanOrEqual(0);
  });

  it("that ends quietly puts off what a delivery made due meanwhile, and nothing else", async () => {
    await using world = await createTestDatabase();
    const lease = await claimOne(world.database);
    const end = { nextRun: { afterMs: 3_600_000 }, generation: 1, quietMs: 60_000 };
    await world.database.query("UPDATE syncs SET next_run_at = now(), announced_epoch = lease_epoch");
    await endLease(world.database, lease, end);
    expect(await dueIn(world.database, "s0")).toBeGreaterThan(50_000);
    expect(await dueIn(world.database, "s0")).toBeLessThanOrEqual(60_000);
    await world.database.query("UPDATE syncs SET next_run_at = now()");
    const [again] = await claim(world.database, "a");
    await world.database.query("UPDATE syncs SET next_run_at = now()");
    await endLease(world.database, again?.lease ?? lease, end);
    expect(await dueIn(world.database, "s0")).toBeLessThanOrEqual(0);
  });

  it("that is stale, or was given under another declaration, ends nothing", async () => {
    await using world = await createTestDatabase();
    const lease = await claimOne(world.database);
    const end = { nextRun: { afterMs: null }, generation: 1 } as const;
    expect(await endLease(world.database, { ...lease, epoch: lease.epoch - 1 }, end)).toBe(false);
    expect(await endLease(world.database, { ...lease, owner: "b" }, end)).toBe(false);
    expect(await endLease(world.database, lease, { ...end, generation: 2 })).toBe(false);
    await world.database.query("UPDATE syncs SET suspended = true");
    expect(await endLease(world.database, lease, end)).toBe(false);
    expect(await endLease(world.database, lease, { ...end, generation: null })).toBe(true);
  });

  it("is renewed for its owner and its epoch alone", async () => {
    await using world = await createTestDatabase();
    const lease = await claimOne(world.database);
    const renew = (one: Lease) => renewLeases(world.database, [one], { owner: one.owner, leaseMs: 30_000 });
    expect(await renew(lease)).toEqual([{ syncId: "s0", isSuspended: false, generation: 1 }]);
    expect(await renew({ ...lease, epoch: 7 })).toEqual([]);
    expect(await renew({ ...lease, owner: "b" })).toEqual([]);
  });
});

test("a run that begins while its sync is withdrawn does not stay open", async () => {
  await using world = await createTestDatabase();
  const { database } = world;
  const lease = await claimOne(database);
  const run = {
    id: "run_1",
    syncId: lease.syncId,
    repositoryId: "r",
    epoch: lease.epoch,
    direction: "import",
    elapsedMs: 0,
    traceId: null,
  } as const;
  let withdrawn: Promise<void> = Promise.resolve();
  await database.transaction(async (tx) => {
    expect(await insertRunning(tx, run, lease)).toBe(true);
    withdrawn = withdrawSync(database, { kind: "file", ref: "" }, "default", "s0");
    await until("the withdrawal waits for the run, or is over", async () => {
      const { rows } = await database.query<{ waits: boolean; over: boolean }>(
        `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock') AS waits,
          NOT EXISTS (SELECT 1 FROM syncs) AS over`,
      );
      return rows[0]?.waits === true || rows[0]?.over === true;
    });
  });
  await withdrawn;
  const { rows } = await database.query("SELECT status, code FROM runs");
  expect(rows).toEqual([{ status: "error", code: "Interrupted" }]);
});

describe("the reaper", () => {
  it("ends leases that ran out, closes their runs and makes the syncs due", async () => {
    await using world = await createTestDatabase();
    const lease = await claimOne(world.database, "dead");
    await world.database.query(
      "INSERT INTO runs (id, sync_id, repository_id, lease_epoch, direction, status) VALUES ('run_1', 's0', 'r', 1, 'import', 'running')",
    );
    expect(await reap(world.database, "a", false)).toBe(0);
    await world.database.query("UPDATE syncs SET lease_until = now() - interval '1 second'");
    expect(await reap(world.database, "a", false)).toBe(1);
    expect(await endLease(world.database, lease, { nextRun: "keep", generation: null })).toBe(false);
    const { rows } = await world.database.query("SELECT status, code, completed_at IS NOT NULL AS ended FROM runs");
    expect(rows).toEqual([{ status: "error", code: "Interrupted", ended: true }]);
    const [again] = await claim(world.database, "a");
    expect(again).toMatchObject({ lease: { syncId: "s0", epoch: 3 }, failures: 1, lastErrorCode: "Interrupted" });
  });

  it("of the only worker ends all leases of others at once, and none of its own", async () => {
    await using world = await createTestDatabase();
    await insertSyncs(world.database, 2);
    await claim(world.database, "before", 1);
    await claim(world.database, "a", 1);
    expect(await reap(world.database, "a", true)).toBe(1);
    const { rows } = await world.database.query("SELECT id FROM syncs WHERE lease_owner = 'a'");
    expect(rows).toEqual([{ id: "s1" }]);
    await world.database.query("UPDATE syncs SET lease_until = now() - interval '1 second'");
    expect(await reap(world.database, "a", false), "one that it could not record the end of").toBe(1);
  });
});
