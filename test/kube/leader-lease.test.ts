// The lease on a real API server: one leader at a time, handed over at once by a clean stop and in time after a hard one.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/domain/clock.ts";
import { LEASES, LeaderLease, type LeaseTiming } from "../../src/kube/leader-lease.ts";
import type { ObjectName } from "../../src/kube/object.ts";
import { systemTimers } from "../../src/kube/timers.ts";
import { type Cluster, connectCluster } from "../support/cluster.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { until } from "../support/until.ts";

/** A tenth of production's, but for the duration, which a Lease holds in whole seconds. */
const TIMING: LeaseTiming = { durationMs: 2000, renewDeadlineMs: 1000, retryMs: 100 };

let cluster: Cluster;
let name: ObjectName;
let leading: string[];
/** What happened, in order. */
let history: string[];

beforeAll(async () => {
  cluster = await connectCluster();
});

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

beforeEach(async () => {
  name = { namespace: await cluster.createNamespace(), name: "test-lease" };
  leading = [];
  history = [];
});

type Candidate = { readonly lease: LeaderLease; stop(): Promise<void> };

function campaign(identity: string, clock = systemClock): Candidate {
  const lease = new LeaderLease({
    api: cluster.api,
    name,
    identity,
    clock,
    timers: systemTimers,
    random: Math.random,
    logger: silentLogger,
    timing: TIMING,
  });
  const stop = new AbortController();
  const ended = lease.campaign(stop.signal, async (lost) => {
    leading.push(identity);
    history.push(`${identity} leads beside ${leading.length - 1}`);
    await new Promise<void>((resolve) => lost.addEventListener("abort", () => resolve(), { once: true }));
    leading = leading.filter((other) => other !== identity);
    history.push(`${identity} ended`);
  });
  return {
    lease,
    async stop() {
      stop.abort();
      await ended;
    },
  };
}

describe("leader lease", () => {
  test("one of many leads", async () => {
    const candidates = ["a", "b", "c"].map((identity) => campaign(identity));
    await until("somebody leads", () => leading.length > 0);
    const lease = await cluster.api.get(LEASES, name);
    expect(lease?.spec).toMatchObject({ holderIdentity: leading[0], leaseDurationSeconds: 2, leaseTransitions: 1 });
    expect(candidates.filter((candidate) => candidate.lease.isHeld).length).toBe(1);
    await Promise.all(candidates.map((candidate) => candidate.stop()));
    expect(history.every((line) => line.endsWith("ended") || line.endsWith("beside 0"))).toBe(true);
  });

  test("a leader that stops hands over at once", async () => {
    const first = campaign("a");
    await until("a leads", () => leading.includes("a"));
    const second = campaign("b");
    const stoppedAtMs = performance.now();
    await first.stop();
    await until("b leads", () => leading.includes("b"));
    expect(performance.now() - stoppedAtMs).toBeLessThan(TIMING.durationMs);
    expect(history).toEqual(["a leads beside 0", "a ended", "b leads beside 0"]);
    await second.stop();
    expect((await cluster.api.get(LEASES, name))?.spec).toMatchObject({ holderIdentity: "", leaseTransitions: 2 });
  });

  test("a lease that nobody renews is taken over after its duration and not before", async () => {
    const spec = { holderIdentity: "dead", leaseDurationSeconds: 2, renewTime: "2020-01-01T00:00:00.000000Z" };
    await cluster.api.create(LEASES, name.namespace, { metadata: { name: name.name }, spec });
    const startedAtMs = performance.now();
    const heir = campaign("heir");
    await until("the heir leads", () => leading.includes("heir"));
    const waitedMs = performance.now() - startedAtMs;
    expect(waitedMs).toBeGreaterThanOrEqual(TIMING.durationMs);
    expect(waitedMs).toBeLessThan(2 * TIMING.durationMs);
    await heir.stop();
  });

  test("a leader whose lease was taken ends its work", async () => {
    const victim = campaign("victim");
    await until("it leads", () => leading.includes("victim"));
    const lease = await cluster.api.get(LEASES, name);
    if (lease === null) throw new Error("the lease is gone");
    const spec = { ...(lease.spec as object), holderIdentity: "thief", leaseDurationSeconds: 3600 };
    await cluster.api.patch(LEASES, name, { spec });
    await until("its work ends", () => history.includes("victim ended"));
    expect(victim.lease.isHeld).toBe(false);
    await victim.stop();
    expect((await cluster.api.get(LEASES, name))?.spec).toMatchObject({ holderIdentity: "thief" });
  });

  test("a leader that renews late, but in time, keeps the lease", async () => {
    let skewMs = 0;
    const clock = { now: systemClock.now, monotonic: () => systemClock.monotonic() + skewMs };
    const late = campaign("late", clock);
    await until("it leads", () => leading.includes("late"));
    const { resourceVersion } = (await cluster.api.get(LEASES, name))?.metadata ?? {};
    skewMs = TIMING.renewDeadlineMs * 0.7 + 0.5;
    expect(late.lease.isHeld).toBe(true);
    const version = async () => (await cluster.api.get(LEASES, name))?.metadata.resourceVersion;
    await until("it has renewed", async () => (await version()) !== resourceVersion, TIMING.renewDeadlineMs);
    expect(history).toEqual(["late leads beside 0"]);
    await late.stop();
  });

  test("a leader that was paused past the deadline knows at once that it may no longer lead", async () => {
    let skewMs = 0;
    const clock = { now: systemClock.now, monotonic: () => systemClock.monotonic() + skewMs };
    const sleeper = campaign("sleeper", clock);
    await until("it leads", () => sleeper.lease.isHeld);
    skewMs = TIMING.renewDeadlineMs;
    expect(sleeper.lease.isHeld).toBe(false);
    await sleeper.stop();
  });
});
