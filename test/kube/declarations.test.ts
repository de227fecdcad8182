// What the operator does with resources, without any run: rows, finalizers, Secrets, conditions, deletion, hand-over.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { listConnectionRows, readRepositoryRow } from "../../src/db/listings.ts";
import { notify } from "../../src/db/notify.ts";
import { listSyncStatuses } from "../../src/db/sync-status.ts";
import type { KubeObject } from "../../src/kube/object.ts";
import { FINALIZER, SECRET } from "../../src/operator/kinds.ts";
import type { ConnectionStatus } from "../../src/resources/connection.ts";
import { openAccountChecks } from "../../src/sync/account-checks.ts";
import { conditionOf, readyOf } from "../support/cluster.ts";
import { type OperatorHarness, startOperatorHarness } from "../support/operator-harness.ts";
import { startGitHub } from "../support/providers/github/start.ts";
import { TEST_KEYS } from "../support/quiet-spec.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { until } from "../support/until.ts";

let harness: OperatorHarness;

beforeAll(async () => {
  harness = await startOperatorHarness({ publicUrl: "https://git.example.com/" });
});

afterEach(async () => {
  expect(await harness.brokenInvariants()).toEqual([]);
});

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
});

const syncNamed = async (name: string) =>
  (await listSyncStatuses(harness.world.database, { ownerKind: "resource" })).find((sync) => sync.name === name);

const connectionNamed = async (name: string) =>
  (await listConnectionRows(harness.world.database, harness.namespace)).find((row) => row.name === name);

function createSecret(name: string, stringData: Readonly<Record<string, string>>): Promise<KubeObject> {
  return harness.cluster.api.create(SECRET, harness.namespace, { metadata: { name }, stringData });
}

const GIT = { remote: "https://git.example.com/acme/site.git" };

describe("a RepoSync", () => {
  test("becomes a row, is held by a finalizer, and says that its first run is awaited", async () => {
    await harness.create("RepoSync", "site", { ...GIT, interval: "1h" });
    const object = await harness.untilReady("RepoSync", "site", "False", "Progressing");
    expect(object.metadata.finalizers).toEqual([FINALIZER]);
    expect(conditionOf(object, "Reconciling")?.status).toBe("True");
    const sync = await syncNamed("site");
    expect(object.status).toMatchObject({ syncId: sync?.id, repository: "site", observedGeneration: 1 });
    expect(sync).toMatchObject({
      owner: { kind: "resource", ref: object.metadata.uid },
      spec: { remote: GIT.remote, intervalMs: 3_600_000 },
    });
  });

  test("takes a change of its spec over", async () => {
    await harness.create("RepoSync", "changing", GIT);
    await harness.untilReady("RepoSync", "changing", "False", "Progressing");
    await harness.patch("RepoSync", "changing", { spec: { suspend: true, branch: "trunk" } });
    const object = await harness.untilReady("RepoSync", "changing", "False", "Suspended");
    expect(object.status).toMatchObject({ observedGeneration: 2, branch: "trunk" });
    expect((await syncNamed("changing"))?.spec).toMatchObject({ suspend: true, branch: "trunk" });
  });

  test("acknowledges a request for a run", async () => {
    await harness.create("RepoSync", "asked", GIT);
    await harness.untilReady("RepoSync", "asked", "False", "Progressing");
    await harness.patch("RepoSync", "asked", { metadata: { annotations: { "coregit.dev/requestedAt": "now-1" } } });
    await until("it is acknowledged", async () => {
      const status = (await harness.get("RepoSync", "asked"))?.status as { readonly lastHandledReconcileAt?: string };
      return status.lastHandledReconcileAt === "now-1";
    });
  });

  test("goes when it is deleted, with its row and without its repository", async () => {
    await harness.create("RepoSync", "leaving", { ...GIT, connectionRef: { name: "nowhere" } });
    await harness.untilReady("RepoSync", "leaving", "False", "Progressing");
    await harness.delete("RepoSync", "leaving");
    await harness.untilGone("RepoSync", "leaving");
    expect(await syncNamed("leaving")).toBeUndefined();
    expect(await readRepositoryRow(harness.world.database, harness.namespace, "leaving")).not.toBeNull();
  });

  test("leaves the finalizers of others alone", async () => {
    const others = ["example.com/backup"];
    await harness.create("RepoSync", "shared", GIT, { finalizers: others });
    await harness.untilReady("RepoSync", "shared", "False", "Progressing");
    await harness.delete("RepoSync", "shared");
    await until("ours is gone", async () => {
      const finalizers = (await harness.get("RepoSync", "shared"))?.metadata.finalizers;
      return JSON.stringify(finalizers) === JSON.stringify(others);
    });
    await harness.patch("RepoSync", "shared", { metadata: { finalizers: null } });
    await harness.untilGone("RepoSync", "shared");
  });

  test("that was made anew under its old name takes the row of the old one over", async () => {
    await harness.create("RepoSync", "reborn", GIT);
    await harness.untilReady("RepoSync", "reborn", "False", "Progressing");
    const before = await syncNamed("reborn");
    await harness.stopOperator();
    await harness.patch("RepoSync", "reborn", { metadata: { finalizers: null } });
    await harness.delete("RepoSync", "reborn");
    const object = await harness.create("RepoSync", "reborn", GIT);
    await harness.restart();
    await harness.untilReady("RepoSync", "reborn", "False", "Progressing");
    expect(await syncNamed("reborn")).toMatchObject({ id: before?.id, owner: { ref: object.metadata.uid } });
  });
});

describe("a Connection", () => {
  test("without a Secret is accepted for plain git", async () => {
    await harness.create("Connection", "anonymous", { provider: "git", baseUrl: "https://git.example.com" });
    const object = await harness.untilReady("Connection", "anonymous", "True", "Accepted");
    expect(object.status).toMatchObject({ observedGeneration: 1 });
  });

  test("is stalled while its Secret is missing, and ready soon after it is there", async () => {
    await harness.create("Connection", "waiting", { provider: "git", secretRef: { name: "late" } });
    const before = await harness.untilReady("Connection", "waiting", "False", "SecretMissing");
    expect(readyOf(before).message).toBe(`There is no Secret late in the namespace ${harness.namespace}.`);
    expect(conditionOf(before, "Stalled")?.status).toBe("True");
    await createSecret("late", { token: "s3cret-token" });
    // Secrets are read again each minute; a change of the Connection reads them at once.
    await harness.patch("Connection", "waiting", { spec: { baseUrl: "https://git.example.com" } });
    const after = await harness.untilReady("Connection", "waiting", "True", "Accepted");
    expect(conditionOf(after, "Stalled")).toBeNull();
    expect(JSON.stringify(after)).not.toContain("s3cret-token");
  });

  test("says what is wrong with its Secret and not what is in it", async () => {
    await createSecret("half", { username: "ann-the-user" });
    await harness.create("Connection", "half", { provider: "git", secretRef: { name: "half" } });
    const object = await harness.untilReady("Connection", "half", "False", "SecretInvalid");
    expect(readyOf(object).message).toBe("The Secret has username but no password.");
    expect(JSON.stringify(object)).not.toContain("ann-the-user");
    expect(await connectionNamed("half")).toMatchObject({ errorCode: "SecretInvalid" });
  });

  test("shows whom the provider lets in, and when it no longer does", async () => {
    await using github = await startGitHub();
    const { database, remotes: accounts } = harness.world;
    await using _checks = await openAccountChecks({ database, keys: TEST_KEYS, accounts, logger: silentLogger });
    const token = github.addToken({ user: "octocat", scopes: ["repo"], expiresAtMs: Date.UTC(2099, 0, 31) });
    await createSecret("hub", { token });
    await harness.create("Connection", "hub", { provider: "github", baseUrl: github.url, secretRef: { name: "hub" } });
    const status = async () => (await harness.untilReady("Connection", "hub", "True", "Accepted")).status as ConnectionStatus;
    await until("the account is shown", async () => (await status()).externalUsername === "octocat");
    expect(await status()).toMatchObject({ scopes: ["repo"], expiresAt: "2099-01-31T00:00:00.000Z" });
    github.revokeToken(token);
    await database.query("UPDATE connections SET checked_at = now() - interval '2 hours' WHERE name = 'hub'");
    await database.transaction((tx) => notify(tx, "connectionChanged", ["conn_other"]));
    const refused = await harness.untilReady("Connection", "hub", "False", "AuthenticationFailed");
    expect(refused.status).toMatchObject({ externalUsername: "octocat" });
  });

  test("goes when it is deleted although its Secret is gone", async () => {
    await harness.create("Connection", "lost", { provider: "git", secretRef: { name: "never" } });
    await harness.untilReady("Connection", "lost", "False", "SecretMissing");
    await harness.delete("Connection", "lost");
    await harness.untilGone("Connection", "lost");
    expect(await connectionNamed("lost")).toBeUndefined();
  });
});

describe("a Repository", () => {
  test("becomes a repository and shows where to clone it", async () => {
    await harness.create("Repository", "library", { description: "Books", visibility: "public" });
    const object = await harness.untilReady("Repository", "library", "True", "Stored");
    expect(object.status).toMatchObject({ gitUrl: `https://git.example.com/${harness.namespace}/library.git`, sizeBytes: 0 });
    expect(await readRepositoryRow(harness.world.database, harness.namespace, "library")).toMatchObject({
      description: "Books",
      visibility: "public",
    });
  });

  test("keeps what is stored when it is deleted, unless told otherwise", async () => {
    await harness.create("Repository", "kept", {});
    await harness.untilReady("Repository", "kept", "True", "Stored");
    await harness.delete("Repository", "kept");
    await harness.untilGone("Repository", "kept");
    expect(await readRepositoryRow(harness.world.database, harness.namespace, "kept")).toMatchObject({ owner: { kind: "api" } });
  });
});

describe("the operator", () => {
  test("writes nothing when it starts again and nothing has changed", async () => {
    await harness.create("RepoSync", "calm", { ...GIT, suspend: true });
    await harness.create("Connection", "calm", { provider: "git", baseUrl: "https://git.example.com" });
    await harness.create("Repository", "calm-repository", {});
    await harness.untilReady("RepoSync", "calm", "False", "Suspended");
    await harness.untilReady("Connection", "calm", "True", "Accepted");
    await harness.untilReady("Repository", "calm-repository", "True", "Stored");
    const before = await versions();
    const rowsBefore = await rowVersions();
    await harness.restart();
    await until("it has looked at everything", () => harness.reconciles >= Object.keys(before).length);
    expect(await versions()).toEqual(before);
    expect(await rowVersions()).toEqual(rowsBefore);
  });

  test("withdraws the row of a resource that went without its finalizer", async () => {
    await harness.create("RepoSync", "forced", GIT);
    await harness.untilReady("RepoSync", "forced", "False", "Progressing");
    await harness.stopOperator();
    await harness.patch("RepoSync", "forced", { metadata: { finalizers: null } });
    await harness.delete("RepoSync", "forced");
    expect(await syncNamed("forced")).toBeDefined();
    await harness.restart();
    await until("the row is gone", async () => (await syncNamed("forced")) === undefined);
  });

  test("hands over to a follower that is warm", async () => {
    const follower = harness.startOperator("follower");
    await follower.synced;
    expect(follower.isLeader).toBe(false);
    await harness.stopOperator();
    await until("the follower leads", () => follower.isLeader, 3000);
    await harness.create("RepoSync", "after-hand-over", GIT);
    await harness.untilReady("RepoSync", "after-hand-over", "False", "Progressing");
    await follower[Symbol.asyncDispose]();
  });
});

async function versions(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const plural of ["reposyncs", "connections", "repositories"]) {
    const resource = { group: "coregit.dev", version: "v1alpha1", plural, kind: "" };
    await harness.cluster.api.list(resource, harness.namespace, (page) => {
      for (const { metadata } of page) found[`${plural}/${metadata.name}`] = metadata.resourceVersion;
    });
  }
  return found;
}

/** PostgreSQL's version of each row: it moves with every write. */
async function rowVersions(): Promise<Record<string, string>> {
  const { rows } = await harness.world.database.query<{ id: string; version: string }>(
    "SELECT id, xmin::text AS version FROM syncs UNION ALL SELECT id, xmin::text FROM connections UNION ALL SELECT id, xmin::text FROM repositories",
  );
  return Object.fromEntries(rows.map(({ id, version }) => [id, version]));
}
