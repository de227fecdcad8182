// What the chart's jobs do, on a real API server: the Secret of keys is completed once, and resources are let go.
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keysToWrite } from "../../src/config/cluster-keys.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { fillSecret } from "../../src/operator/fill-secret.ts";
import { FINALIZER } from "../../src/operator/kinds.ts";
import { deleteResources, type ReleaseOptions, releaseResources } from "../../src/operator/release-resources.ts";
import { type Cluster, connectCluster } from "../support/cluster.ts";
import { kindOf } from "../support/operator-harness.ts";
import { deadline } from "../support/test-remotes.ts";
import { until } from "../support/until.ts";

let cluster: Cluster;
let namespace: string;

beforeAll(async () => {
  cluster = await connectCluster();
  namespace = await cluster.createNamespace();
});

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

describe("a Secret of keys", () => {
  const fill = (name: string, given = {}) =>
    fillSecret(cluster.api, { namespace, name }, (present) => keysToWrite(present, given, "db:5432"), deadline());

  test("is made once, however many make it", async () => {
    const all = await Promise.all(Array.from({ length: 3 }, () => fill("at-once")));
    expect(all).toEqual([all[0], all[0], all[0]]);
    expect(Object.keys(all[0] ?? {}).sort()).toEqual(["databaseUrl", "encryptionKey", "masterKey", "postgresqlPassword"]);
    expect(await fill("at-once")).toEqual(all[0]);
  });

  test("keeps what somebody else put there, and takes what is given", async () => {
    await cluster.kubectl(
      "create",
      "secret",
      "generic",
      "mine",
      `--namespace=${namespace}`,
      "--from-literal=databaseUrl=postgres://x/y",
    );
    const keys = await fill("mine", { masterKey: "cgk_live_0123456789abcdef" });
    expect(keys).toMatchObject({ databaseUrl: "postgres://x/y", masterKey: "cgk_live_0123456789abcdef" });
  });
});

describe("resources without an operator", () => {
  const REPOSITORY = kindOf("Repository");
  const OTHERS = "example.com/others";
  const options = (graceMs = 0): ReleaseOptions => ({
    api: cluster.api,
    namespaces: [namespace],
    pause: (ms, signal) => delay(ms, undefined, { signal }),
    clock: systemClock,
    graceMs,
    signal: deadline(),
  });
  const create = (name: string, ...finalizers: readonly string[]) =>
    cluster.api.create(REPOSITORY, namespace, { metadata: { name, finalizers }, spec: {} });
  const finalizersOf = async (name: string) => (await cluster.api.get(REPOSITORY, { namespace, name }))?.metadata.finalizers;

  test("are let go of, those of others stay held, and those in deletion are gone", async () => {
    await create("staying", FINALIZER, OTHERS);
    await create("going", FINALIZER);
    await cluster.api.delete(REPOSITORY, { namespace, name: "going" });
    expect(await releaseResources(options())).toBe(2);
    expect(await finalizersOf("staying")).toEqual([OTHERS]);
    expect(await cluster.api.get(REPOSITORY, { namespace, name: "going" })).toBeNull();
    expect(await releaseResources(options())).toBe(0);
    await cluster.api.patch(REPOSITORY, { namespace, name: "staying" }, { metadata: { finalizers: null } });
  });

  test("are deleted after the time that an operator would have had", async () => {
    await create("alone", FINALIZER);
    await deleteResources(options(1000));
    expect(await cluster.api.get(REPOSITORY, { namespace, name: "alone" })).toBeNull();
  });

  test("are let go of in time, however long it takes to look at all of them", async () => {
    await create("one-of-many", FINALIZER);
    let nowMs = 0;
    let looks = 0;
    const pause = async (): Promise<void> => {
      looks += 1;
      // What it takes to look at thousands.
      nowMs += 30_000;
    };
    const clock = { now: () => nowMs, monotonic: () => nowMs };
    await deleteResources({ ...options(240_000), pause, clock });
    expect(await cluster.api.get(REPOSITORY, { namespace, name: "one-of-many" })).toBeNull();
    expect(looks).toBeLessThanOrEqual(8);
  });

  test("are left to the operator while it has time", async () => {
    await create("tended", FINALIZER);
    const deleting = deleteResources(options(60_000));
    const isDeleted = async () => (await cluster.api.get(REPOSITORY, { namespace, name: "tended" }))?.metadata.deletionTimestamp;
    await until("its deletion is asked for", async () => (await isDeleted()) !== undefined);
    expect(await finalizersOf("tended")).toEqual([FINALIZER]);
    await cluster.api.patch(REPOSITORY, { namespace, name: "tended" }, { metadata: { finalizers: null } });
    await deleting;
    expect(await cluster.api.get(REPOSITORY, { namespace, name: "tended" })).toBeNull();
  });
});
