// What people do behind the operator's back: finalizers taken away, namespaces deleted, Secrets full of junk.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { readRepositoryRow } from "../../src/db/listings.ts";
import { listSyncStatuses } from "../../src/db/sync-status.ts";
import { FINALIZER, SECRET } from "../../src/operator/kinds.ts";
import { KINDS, type KindName } from "../../src/resources/kinds.ts";
import { NAMESPACES } from "../support/cluster.ts";
import { kindOf, type OperatorHarness, startOperatorHarness } from "../support/operator-harness.ts";
import { until } from "../support/until.ts";

let harness: OperatorHarness;

beforeAll(async () => {
  harness = await startOperatorHarness();
});

afterEach(async () => {
  expect(await harness.brokenInvariants()).toEqual([]);
});

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
});

const GIT = { remote: "https://git.example.com/acme/site.git", interval: "0s" };

const syncNamed = async (name: string) =>
  (await listSyncStatuses(harness.world.database, { ownerKind: "resource" })).find((sync) => sync.name === name);
const finalizersOf = async (kind: KindName, name: string) => (await harness.get(kind, name))?.metadata.finalizers ?? [];
const withoutFinalizers = { metadata: { finalizers: null } };

describe("a finalizer that is taken away by hand", () => {
  test("is put back on a resource that stays", async () => {
    await harness.create("RepoSync", "bare", GIT);
    await harness.untilReady("RepoSync", "bare", "False", "Progressing");
    await harness.patch("RepoSync", "bare", withoutFinalizers);
    await until("it is back", async () => (await finalizersOf("RepoSync", "bare")).includes(FINALIZER));
  });

  test("leaves no row behind when the resource goes, while the operator runs", async () => {
    // Another finalizer holds the object until both are taken at once, so that ours cannot run first.
    await harness.create("RepoSync", "torn", GIT);
    await harness.create("Connection", "torn", { provider: "git", baseUrl: "https://git.example.com" });
    await harness.create("Repository", "torn-data", { deletionPolicy: "Delete" });
    await harness.untilReady("RepoSync", "torn", "False", "Progressing");
    await harness.untilReady("Connection", "torn", "True", "Accepted");
    await harness.untilReady("Repository", "torn-data", "True", "Stored");
    const force = async (kind: KindName, name: string) => {
      await Promise.all([harness.patch(kind, name, withoutFinalizers), harness.delete(kind, name)]);
      await harness.patch(kind, name, withoutFinalizers).catch(() => undefined);
      await harness.untilGone(kind, name);
    };
    await force("RepoSync", "torn");
    await force("Connection", "torn");
    await until("the rows are gone", async () => {
      const { rows } = await harness.world.database.query(
        "SELECT name FROM syncs WHERE name = 'torn' UNION ALL SELECT name FROM connections WHERE name = 'torn'",
      );
      return rows.length === 0;
    });
  });
});

describe("a namespace that is deleted", () => {
  test("goes with everything in it, also where a Secret went first and no Event can be written any more", async () => {
    const { api } = harness.cluster;
    const { namespace } = harness;
    await api.create(SECRET, namespace, { metadata: { name: "first-to-go" }, stringData: { token: "t" } });
    await harness.create("Connection", "going", { provider: "git", secretRef: { name: "first-to-go" } });
    await harness.create("RepoSync", "going", { ...GIT, connectionRef: { name: "going" } });
    await harness.create("Repository", "going-repository", { deletionPolicy: "Delete" });
    await harness.untilReady("RepoSync", "going", "False", "Progressing");
    await harness.untilReady("Repository", "going-repository", "True", "Stored");
    await api.delete(NAMESPACES, { namespace: "", name: namespace });
    await expect(harness.create("Repository", "too-late", {})).rejects.toMatchObject({ status: 403 });
    // What the namespace controller does then: it deletes kind by kind and waits until nothing is left.
    await api.delete(SECRET, { namespace, name: "first-to-go" });
    for (const kind of Object.keys(KINDS) as KindName[]) {
      const path = `/apis/coregit.dev/v1alpha1/namespaces/${namespace}/${KINDS[kind].plural}`;
      await harness.cluster.transport.call({ method: "DELETE", path });
    }
    for (const kind of Object.keys(KINDS) as KindName[]) {
      await until(`every ${kind} is gone`, async () => {
        let count = 0;
        await api.list(kindOf(kind), namespace, (page) => {
          count += page.length;
        });
        return count === 0;
      });
    }
    expect(await syncNamed("going")).toBeUndefined();
    expect(await readRepositoryRow(harness.world.database, namespace, "going-repository")).toBeNull();
  });
});
