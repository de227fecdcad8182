// The whole way: a RepoSync on a real API server, the real engine and git store, and a remote over HTTP.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Oid } from "../../src/domain/oid.ts";
import type { KubeObject } from "../../src/kube/object.ts";
import { SECRET } from "../../src/operator/kinds.ts";
import { conditionOf, readyOf } from "../support/cluster.ts";
import type { GitHttpServer } from "../support/git-http-server.ts";
import { type OperatorHarness, startOperatorHarness } from "../support/operator-harness.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import { serveSource } from "../support/test-remotes.ts";
import { until } from "../support/until.ts";

let harness: OperatorHarness;
let source: SourceRepository;
let server: GitHttpServer & { readonly remoteUrl: string };

beforeAll(async () => {
  source = await createSourceRepository();
  await source.commit({ "README.md": "Hello\n", "docs/a.md": "A\n" });
  server = await serveSource(source);
  harness = await startOperatorHarness();
  await harness.world.startEngine();
});

afterEach(async () => {
  expect(await harness.brokenInvariants()).toEqual([]);
});

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
});

type Status = {
  readonly lastSyncedSha?: string;
  readonly lastSyncedAt?: string;
  readonly lastError?: string;
  readonly localSha?: string;
  readonly lastHandledReconcileAt?: string;
  readonly lastRun?: { readonly added: number; readonly status: string };
};

const statusOf = (object: KubeObject | null): Status => (object?.status ?? {}) as Status;

const QUIET = { interval: "0s" };

function untilSynced(name: string, oid: Oid): Promise<void> {
  return until(`${name} is at ${oid}`, async () => statusOf(await harness.get("RepoSync", name)).lastSyncedSha === oid);
}

const ask = (name: string, value: string): Promise<KubeObject> =>
  harness.patch("RepoSync", name, { metadata: { annotations: { "coregit.dev/requestedAt": value } } });

describe("a RepoSync", () => {
  test("becomes ready with the remote's commit, and kubectl waits for it and shows it", async () => {
    await harness.create("RepoSync", "ready", { ...QUIET, remote: server.remoteUrl });
    const { kubectl } = harness.cluster;
    const place = ["--namespace", harness.namespace];
    await kubectl("wait", "--for=condition=Ready", "--timeout=20s", "reposync/ready", ...place);
    const oid = await source.head();
    const object = await harness.untilReady("RepoSync", "ready", "True", "Synced");
    expect(object.status).toMatchObject({
      lastSyncedSha: oid,
      remoteSha: oid,
      branch: "main",
      lastRun: { status: "success", added: 2 },
    });
    expect(statusOf(object).lastError).toBeUndefined();
    const table = await kubectl("get", "cgsync", "ready", ...place);
    expect(table.split("\n")[0]?.split(/\s{2,}/)).toEqual(
      ["NAME", "READY", "STATUS", "DIRECTION", "REMOTE", "BRANCH", "SHA", "AGE"].map((word) => expect.stringContaining(word)),
    );
    expect(table).toMatch(new RegExp(`ready +True +Synced +import +${server.remoteUrl} +main +${oid}`));
    expect(await kubectl("get", "cgsync", "ready", "--output=wide", ...place)).toContain("LAST SYNC");
    expect(await kubectl("get", "coregit", ...place)).toContain("reposync.coregit.dev/ready");
    await until("an Event tells of it", async () =>
      (await kubectl("events", "--for=reposync/ready", ...place)).includes("Imported"),
    );
  });

  test("follows the remote when asked, and says that it has answered", async () => {
    await harness.create("RepoSync", "following", { ...QUIET, remote: server.remoteUrl });
    await harness.untilReady("RepoSync", "following", "True", "Synced");
    const next = await source.commit({ "docs/b.md": "B\n" });
    await ask("following", "first");
    await untilSynced("following", next);
    expect(statusOf(await harness.get("RepoSync", "following"))).toMatchObject({
      lastHandledReconcileAt: "first",
      lastRun: { added: 1 },
    });
  });

  test("follows the remote by polling", async () => {
    await harness.create("RepoSync", "polling", { interval: "1s", remote: server.remoteUrl });
    await harness.untilReady("RepoSync", "polling", "True", "Synced");
    await untilSynced("polling", await source.commit({ "docs/c.md": "C\n" }));
  });

  test("writes nothing while polls find nothing new", async () => {
    await harness.create("RepoSync", "idle", { interval: "1s", remote: server.remoteUrl });
    const { metadata } = await harness.untilReady("RepoSync", "idle", "True", "Synced");
    const asked = server.requests.length;
    await until("it has polled three times", () => server.requests.length >= asked + 6);
    expect((await harness.get("RepoSync", "idle"))?.metadata.resourceVersion).toBe(metadata.resourceVersion);
    await harness.delete("RepoSync", "idle");
    await harness.untilGone("RepoSync", "idle");
  });

  test("stands still while suspended, and catches up afterwards", async () => {
    await harness.create("RepoSync", "halted", { ...QUIET, remote: server.remoteUrl });
    const before = statusOf(await harness.untilReady("RepoSync", "halted", "True", "Synced"));
    await harness.patch("RepoSync", "halted", { spec: { suspend: true } });
    await harness.untilReady("RepoSync", "halted", "True", "Suspended");
    const next = await source.commit({ "docs/d.md": "D\n" });
    await ask("halted", "while suspended");
    await until(
      "the request was seen",
      async () => statusOf(await harness.get("RepoSync", "halted")).lastHandledReconcileAt === "while suspended",
    );
    expect(statusOf(await harness.get("RepoSync", "halted")).lastSyncedSha).toBe(before.lastSyncedSha);
    await harness.patch("RepoSync", "halted", { spec: { suspend: false } });
    await untilSynced("halted", next);
    await harness.untilReady("RepoSync", "halted", "True", "Synced");
  });

  test("of a remote that is not there is retried, says so, and recovers", async () => {
    await harness.create("RepoSync", "mistaken", { ...QUIET, remote: `${server.url}/nothing-here.git` });
    const object = await harness.untilReady("RepoSync", "mistaken", "False", "RemoteNotFound");
    expect(conditionOf(object, "Reconciling")?.status).toBe("True");
    expect(statusOf(object).lastError).toBe(readyOf(object).message);
    await harness.patch("RepoSync", "mistaken", { spec: { remote: server.remoteUrl } });
    const cured = await harness.untilReady("RepoSync", "mistaken", "True", "Synced");
    expect(statusOf(cured).lastError).toBeUndefined();
  });

  test("whose Connection is missing is stalled until it is there", async () => {
    await harness.create("RepoSync", "lonely", { ...QUIET, remote: server.remoteUrl, connectionRef: { name: "later" } });
    const object = await harness.untilReady("RepoSync", "lonely", "False", "ConnectionMissing");
    expect(conditionOf(object, "Stalled")?.status).toBe("True");
    await harness.create("Connection", "later", { provider: "git" });
    await harness.untilReady("RepoSync", "lonely", "True", "Synced");
  });

  test("is deleted although its remote and its Connection are gone", async () => {
    await harness.create("Connection", "doomed", { provider: "git" });
    await harness.create("RepoSync", "doomed", { ...QUIET, remote: `${server.url}/gone.git`, connectionRef: { name: "doomed" } });
    await harness.untilReady("RepoSync", "doomed", "False", "RemoteNotFound");
    await harness.delete("Connection", "doomed");
    await harness.untilGone("Connection", "doomed");
    await harness.delete("RepoSync", "doomed");
    await harness.untilGone("RepoSync", "doomed");
  });

  test("is adopted by an operator that starts anew, which runs nothing again", async () => {
    await harness.create("RepoSync", "adopted", { ...QUIET, remote: server.remoteUrl });
    const before = await harness.untilReady("RepoSync", "adopted", "True", "Synced");
    const runs = () => harness.world.database.query("SELECT id FROM runs");
    const count = (await runs()).rowCount;
    await harness.restart();
    await until("the new one has looked at it", () => harness.reconciles >= 5);
    expect((await harness.get("RepoSync", "adopted"))?.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    expect((await runs()).rowCount).toBe(count);
  });
});

describe("a Repository", () => {
  test("shows its head and size after an import into it, and takes its data along when it is told to", async () => {
    const repository = { description: "Kept", deletionPolicy: "Delete" };
    await harness.create("Repository", "owned", repository);
    await harness.untilReady("Repository", "owned", "True", "Stored");
    await harness.create("RepoSync", "filling", { ...QUIET, remote: server.remoteUrl, repository: "owned" });
    const sync = statusOf(await harness.untilReady("RepoSync", "filling", "True", "Synced"));
    await until("it shows the head", async () => {
      const status = (await harness.get("Repository", "owned"))?.status as {
        readonly headSha?: string;
        readonly sizeBytes?: number;
      };
      return status.headSha === sync.localSha && (status.sizeBytes ?? 0) > 0;
    });
    await harness.delete("Repository", "owned");
    await harness.untilGone("Repository", "owned");
    expect(await harness.world.store.find(harness.namespace, "owned")).toBeNull();
  });
});

describe("a Secret", () => {
  test("that is rotated is used by the next run, without a restart", async () => {
    const { api } = harness.cluster;
    const { namespace } = harness;
    await using guarded = await serveSource(source, { basicAuth: { username: "ann", password: "second-password" } });
    const name = { namespace, name: "rotating" };
    await api.create(SECRET, namespace, {
      metadata: { name: "rotating" },
      stringData: { username: "ann", password: "first-password" },
    });
    await harness.create("Connection", "rotating", { provider: "git", secretRef: { name: "rotating" } });
    await harness.untilReady("Connection", "rotating", "True", "Accepted");
    await harness.create("RepoSync", "rotating", { ...QUIET, remote: guarded.remoteUrl, connectionRef: { name: "rotating" } });
    const refused = await harness.untilReady("RepoSync", "rotating", "False", "AuthenticationFailed");
    expect(JSON.stringify(refused)).not.toContain("first-password");
    await api.patch(SECRET, name, { stringData: { password: "second-password" } });
    // The next refusal makes the operator read the Secret again, long before the minute is over.
    const synced = await harness.untilReady("RepoSync", "rotating", "True", "Synced");
    expect(JSON.stringify(synced)).not.toContain("second-password");
  });
});
