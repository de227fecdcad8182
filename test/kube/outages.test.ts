// The database or the API server away: nothing is lost, nothing hangs, nothing ends, and it goes on by itself afterwards.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openPostgres } from "../../src/db/postgres.ts";
import type { KubeConfig } from "../../src/kube/kube-config.ts";
import type { Cluster } from "../support/cluster.ts";
import { type OperatorHarness, startOperatorHarness } from "../support/operator-harness.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { type SwitchedProxy, startSwitchedProxy } from "../support/switched-proxy.ts";
import { openSyncWorld } from "../support/sync-world.ts";
import { until } from "../support/until.ts";

let owned = new AsyncDisposableStack();
let harness: OperatorHarness;
let toDatabase: SwitchedProxy;
let toCluster: SwitchedProxy;

/** Both ways lead through proxies that are away when the operator starts. */
beforeAll(async () => {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await openSyncWorld());
  const databaseUrl = new URL(world.url);
  toDatabase = stack.use(await startSwitchedProxy({ host: databaseUrl.hostname, port: Number(databaseUrl.port), isAway: true }));
  databaseUrl.host = `127.0.0.1:${toDatabase.port}`;
  const database = stack.use(openPostgres({ url: databaseUrl.href, logger: silentLogger }));
  const configure = async (cluster: Cluster): Promise<KubeConfig> => {
    const config = cluster.newConfig();
    const server = new URL(config.getCurrentCluster()?.server ?? "");
    toCluster = stack.use(await startSwitchedProxy({ host: server.hostname, port: Number(server.port), isAway: true }));
    server.host = `127.0.0.1:${toCluster.port}`;
    config.clusters = config.clusters.map((each) => ({ ...each, server: server.href }));
    return config;
  };
  const reflectorTiming = { backoffFirstMs: 50, backoffLongestMs: 200 };
  harness = stack.use(await startOperatorHarness({ world, configure, database, reflectorTiming }));
  owned = stack.move();
});

afterEach(async () => {
  expect(await harness.brokenInvariants()).toEqual([]);
});

afterAll(async () => {
  await owned.disposeAsync();
});

const SPEC = { remote: "https://git.example.com/a/b.git", suspend: true };

describe("an operator", () => {
  test("that starts before the API server and the database waits for both, in any order", async () => {
    await harness.create("RepoSync", "early", SPEC);
    expect(harness.operator.isLeader).toBe(false);
    await toCluster.comeBack();
    await harness.operator.synced;
    await until("it leads", () => harness.operator.isLeader);
    expect((await harness.get("RepoSync", "early"))?.metadata.finalizers).toBeUndefined();
    await toDatabase.comeBack();
    await harness.untilReady("RepoSync", "early", "False", "Suspended");
  });

  test("deletes what is deleted while the database is away, once it is back", async () => {
    await harness.create("RepoSync", "leaving", SPEC);
    await harness.create("Repository", "leaving-data", { deletionPolicy: "Delete" });
    await harness.untilReady("RepoSync", "leaving", "False", "Suspended");
    await harness.untilReady("Repository", "leaving-data", "True", "Stored");
    await toDatabase.leave();
    await harness.delete("RepoSync", "leaving");
    await harness.delete("Repository", "leaving-data");
    await until("it has tried", () => harness.failures >= 2);
    await toDatabase.comeBack();
    await harness.untilGone("RepoSync", "leaving");
    await harness.untilGone("Repository", "leaving-data");
  });

  test("keeps what it shows while the database is away, and follows what changed meanwhile", async () => {
    await harness.create("RepoSync", "steady", SPEC);
    const before = await harness.untilReady("RepoSync", "steady", "False", "Suspended");
    await toDatabase.leave();
    const failures = harness.failures;
    await harness.patch("RepoSync", "steady", { spec: { branch: "trunk" } });
    await until("it has tried", () => harness.failures > failures);
    expect((await harness.get("RepoSync", "steady"))?.status).toEqual(before.status);
    await toDatabase.comeBack();
    expect((await harness.untilReady("RepoSync", "steady", "False", "Suspended")).status).toMatchObject({ branch: "trunk" });
  });

  test("finds what it missed while the API server was away, and leads again", async () => {
    await harness.create("RepoSync", "missed", SPEC);
    await harness.untilReady("RepoSync", "missed", "False", "Suspended");
    await toCluster.leave();
    await harness.delete("RepoSync", "missed");
    await harness.create("RepoSync", "new", SPEC);
    await until("it no longer leads", () => !harness.operator.isLeader);
    await toCluster.comeBack();
    await harness.untilGone("RepoSync", "missed");
    await harness.untilReady("RepoSync", "new", "False", "Suspended");
  });
});
