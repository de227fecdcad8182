// The chart on a real API server with Kubernetes' controllers: Helm installs it and waits, what its pods would run is run with exactly
// the rights and keys that the chart gives, a RepoSync is imported and cloned, and the release is upgraded, rolled back and removed.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { callsAllowedBy, callsOf, type Rule } from "../support/audit.ts";
import { git } from "../support/git.ts";
import { HELM_DEADLINE_MS } from "../support/helm.ts";
import { type ChartWorld, NAMESPACE, openChartWorld } from "../support/installed-chart.ts";
import { until } from "../support/until.ts";

let world: ChartWorld;

// Helm waits for hooks and pods in turns of seconds, and each pod is a process that starts.
vi.setConfig({ testTimeout: 300_000 });

beforeAll(async () => {
  world = await openChartWorld();
}, HELM_DEADLINE_MS);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const TEAM = "team-a";
const API_VERSION = "coregit.dev/v1alpha1";
const place = ["--namespace", TEAM];

const repoSync = (spec: object = {}) => ({
  apiVersion: API_VERSION,
  kind: "RepoSync",
  metadata: { name: "hello", namespace: TEAM },
  spec: { remote: world.remoteUrl, connectionRef: { name: "remote" }, interval: "0s", ...spec },
});

const repository = { apiVersion: API_VERSION, kind: "Repository", metadata: { name: "hello", namespace: TEAM }, spec: {} };

const untilReason = (reason: string) =>
  world.cluster.kubectl(
    ...["wait", "reposync/hello", "--timeout=60s", ...place],
    `--for=jsonpath={.status.conditions[?(@.type=="Ready")].reason}=${reason}`,
  );

/** What depends on something that is gone goes a little later. */
const COLLECTED = { timeout: 30_000, interval: 250 };

/** What every namespace has, and what an uninstall keeps on purpose. */
const ALWAYS_LEFT = [
  ...["configmap/kube-root-ca.crt", "serviceaccount/default"],
  ...["lease.coordination.k8s.io/coregit-operator", "secret/coregit"],
];

const runCount = async () => (await world.database.database.query("SELECT id FROM runs")).rowCount;

describe("an installation", () => {
  test("comes up with --wait from nothing but a database: keys first, then the schema, then the roles", async () => {
    await world.deploy("install", { databaseUrl: world.database.url });
    expect(world.runner.ended).toEqual([
      ["coregit-make-keys", 0],
      ["coregit-migrate", 0],
    ]);
    const secret = await world.secret("coregit");
    expect(Object.keys(secret).sort()).toEqual(["databaseUrl", "encryptionKey", "masterKey"]);
    expect(secret.databaseUrl).toBe(world.database.url);
    expect(await world.cluster.kubectl("get", "jobs,roles,rolebindings,secrets", "--namespace", NAMESPACE, "--output=name")).toBe(
      [
        "role.rbac.authorization.k8s.io/coregit-operator-leader",
        "rolebinding.rbac.authorization.k8s.io/coregit-operator-leader",
        "secret/coregit",
        "secret/sh.helm.release.v1.coregit.v1",
        "",
      ].join("\n"),
    );
  });

  test("imports a private remote, shows it to kubectl, and serves it to git", async () => {
    await world.cluster.kubectl("create", "namespace", TEAM);
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "remote", namespace: TEAM } };
    await world.apply({ ...secret, stringData: { username: "ann", password: "first-password" } });
    const connection = { apiVersion: API_VERSION, kind: "Connection", metadata: { name: "remote", namespace: TEAM } };
    await world.apply({ ...connection, spec: { provider: "git", secretRef: { name: "remote" } } });
    await world.apply(repository);
    await world.apply(repoSync());
    await world.cluster.kubectl("wait", "--for=condition=Ready", "--timeout=60s", "reposync/hello", ...place);
    const { masterKey = "" } = await world.secret("coregit");
    const url = new URL(`${world.runner.urlOf("api")}/${TEAM}/hello.git`);
    url.username = "x";
    url.password = masterKey;
    const [oid] = (await git(["ls-remote", url.href, "refs/heads/main"])).split("\t");
    const shown = await world.cluster.kubectl("get", "reposync", "hello", ...place, "--output=jsonpath={.status.localSha}");
    expect(oid).toBe(shown);
  });

  test("makes the calls that its rules allow, and no other", async () => {
    // Two Events of one text are one series, which is a call of its own.
    for (const suspend of [true, false, true, false]) {
      await world.apply(repoSync({ suspend }));
      await untilReason(suspend ? "Suspended" : "Synced");
    }
    const account = `system:serviceaccount:${NAMESPACE}:coregit-operator`;
    const rules = await world.cluster.kubectl(
      ...["get", "clusterrole/coregit-coregit-operator", "role/coregit-operator-leader"],
      ...["--namespace", NAMESPACE, "--output=json"],
    );
    const { items } = JSON.parse(rules) as { readonly items: readonly { readonly rules: readonly Rule[] }[] };
    const granted = callsAllowedBy(items.flatMap((role) => role.rules));
    await until("every granted call was made", async () => {
      const { allowed } = await callsOf(world.auditLog, account);
      return granted.every((call) => allowed.includes(call));
    }).catch(() => undefined);
    const { allowed, refused } = await callsOf(world.auditLog, account);
    expect(allowed).toEqual(granted);
    expect(refused).toEqual([]);
    expect((await callsOf(world.auditLog, `system:serviceaccount:${NAMESPACE}:coregit-api`)).allowed).toEqual([]);
  });
});

describe("an upgrade", () => {
  test("keeps the keys that it is not given, restarts what changed, and runs nothing again", async () => {
    const before = await world.secret("coregit");
    const runs = await runCount();
    const masterKey = "cgk_live_0123456789abcdefghij";
    await world.deploy("upgrade", { databaseUrl: world.database.url, masterKey, logLevel: "debug" });
    expect(await world.secret("coregit")).toEqual({ ...before, masterKey });
    await world.cluster.kubectl("wait", "--for=condition=Ready", "--timeout=60s", "reposync/hello", ...place);
    expect(await runCount()).toBe(runs);
    const answer = await fetch(`${world.runner.urlOf("api")}/v1/repos`, { headers: { "x-api-key": masterKey } });
    expect(answer.status).toBe(200);
  });

  test("is rolled back", async () => {
    await world.helm.run("rollback", "coregit", "1", "--namespace", NAMESPACE, "--wait", "--timeout", "4m");
    await world.cluster.kubectl("wait", "--for=condition=Ready", "--timeout=60s", "reposync/hello", ...place);
    await expect.poll(() => world.runner.serving.toSorted(), COLLECTED).toEqual(["api", "operator"]);
  });
});

describe("an uninstall", () => {
  const uninstall = () => world.helm.run("uninstall", "coregit", "--namespace", NAMESPACE, "--wait", "--timeout", "4m");

  test("keeps the resources, lets go of them, and leaves nothing else behind", async () => {
    const sets = (await world.leftovers()).filter((name) => name.startsWith("replicaset.apps/"));
    // Of the API and of the operator one for each of two templates.
    expect(sets.length).toBe(4);
    await uninstall();
    const crds = ["connections", "repositories", "reposyncs"].map(
      (name) => `customresourcedefinition.apiextensions.k8s.io/${name}.coregit.dev`,
    );
    await expect.poll(world.leftovers, COLLECTED).toEqual([...ALWAYS_LEFT, ...crds].toSorted());
    const held = await world.cluster.kubectl("get", "coregit", ...place, "--output=jsonpath={.items[*].metadata.finalizers}");
    expect(held).toBe("");
    const deleted = await world.cluster.kubectl("delete", "repository/hello", ...place, "--timeout=10s");
    expect(deleted).toContain("deleted");
  });

  test("is undone by an installation for one namespace with the evaluation database, which comes up although that is part of it", async () => {
    // The operator before had lost its rights when it would have given the Lease back.
    await world.cluster.kubectl("delete", "lease/coregit-operator", "--namespace", NAMESPACE);
    const withoutDatabase = JSON.stringify([{ op: "remove", path: "/data/databaseUrl" }]);
    await world.cluster.kubectl(
      ...["patch", "secret/coregit", "--namespace", NAMESPACE, "--type=json", `--patch=${withoutDatabase}`],
    );
    const values = { postgresql: { enabled: true }, crds: { keep: false }, operator: { namespaces: [TEAM] } };
    await world.deploy("install", values);
    const { databaseUrl, postgresqlPassword } = await world.secret("coregit");
    expect(databaseUrl).toBe(`postgres://coregit:${postgresqlPassword}@coregit-postgresql:5432/coregit`);
  });

  test("of resources that are not kept deletes them first, while the operator is there to withdraw them", async () => {
    await world.apply(repository);
    for (const resource of ["reposync/hello", "repository/hello", "connection/remote"]) {
      const isHeld = "--for=jsonpath={.metadata.finalizers[0]}=coregit.dev/finalizer";
      await world.cluster.kubectl("wait", resource, isHeld, "--timeout=60s", ...place);
    }
    await uninstall();
    const claim = "persistentvolumeclaim/data-coregit-postgresql-0";
    await expect.poll(world.leftovers, COLLECTED).toEqual([...ALWAYS_LEFT, claim].toSorted());
    expect(await world.cluster.kubectl("get", "crds", "--output=name")).toBe("");
    const { rows } = await world.database.database.query("SELECT name FROM syncs WHERE namespace = $1", [TEAM]);
    expect(rows).toEqual([]);
  });

  test("made the calls that the rules of its jobs allow, and no other", async () => {
    const objects = [...(await world.helm.render("default")), ...(await world.helm.render("minimal"))];
    for (const job of ["coregit-make-keys", "coregit-uninstall"]) {
      const isOfJob = (name: string) => name === job || name === job.replace("coregit-", "coregit-coregit-");
      const roles = objects.filter(({ kind, metadata }) => kind.endsWith("Role") && isOfJob(metadata.name));
      const granted = callsAllowedBy(roles.flatMap(({ rules }) => rules as readonly Rule[]));
      const { allowed, refused } = await callsOf(world.auditLog, `system:serviceaccount:${NAMESPACE}:${job}`);
      expect(allowed).toEqual(granted);
      expect(refused).toEqual([]);
    }
  });
});
