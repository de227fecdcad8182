// An operator that lacks a right: it goes on with everything else, and says what it lacks once, to who reads the resource or
// the log. It acts as a user of its own, to whom the API server's RBAC grants what each test says.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { KubeConfig } from "../../src/kube/kube-config.ts";
import type { ResourceKind } from "../../src/kube/object.ts";
import { type Cluster, conditionOf, readyOf } from "../support/cluster.ts";
import { type OperatorHarness, startOperatorHarness } from "../support/operator-harness.ts";
import { createRecordedLogger, type RecordedLogger } from "../support/recorded-logger.ts";
import { until } from "../support/until.ts";

type Rule = { readonly apiGroups: readonly string[]; readonly resources: readonly string[]; readonly verbs: readonly string[] };

const ROLES: ResourceKind = { group: "rbac.authorization.k8s.io", version: "v1", plural: "roles", kind: "Role" };
const BINDINGS: ResourceKind = { ...ROLES, plural: "rolebindings", kind: "RoleBinding" };
const USER = "limited-operator";

const own = (resources: readonly string[], verbs: readonly string[]): Rule => ({ apiGroups: ["coregit.dev"], resources, verbs });
const KINDS = ["reposyncs", "connections", "repositories"];
const ALL: Readonly<Record<string, Rule>> = {
  watch: own(KINDS, ["get", "list", "watch"]),
  hold: own(KINDS, ["patch"]),
  show: own(
    KINDS.map((plural) => `${plural}/status`),
    ["patch"],
  ),
  secrets: { apiGroups: [""], resources: ["secrets"], verbs: ["get"] },
  lease: { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get", "create", "update"] },
  events: { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] },
};

let harness: OperatorHarness;
let logger: RecordedLogger;

beforeEach(() => {
  logger = createRecordedLogger();
});

afterEach(async () => {
  await harness[Symbol.asyncDispose]();
});

async function startWithout(missing: keyof typeof ALL): Promise<void> {
  const rules = Object.entries(ALL).flatMap(([name, rule]) => (name === missing ? [] : [rule]));
  const configure = async (cluster: Cluster, namespace: string): Promise<KubeConfig> => {
    await cluster.api.create(ROLES, namespace, { metadata: { name: "operator" }, rules });
    await cluster.api.create(BINDINGS, namespace, {
      metadata: { name: "operator" },
      roleRef: { apiGroup: ROLES.group, kind: "Role", name: "operator" },
      subjects: [{ apiGroup: ROLES.group, kind: "User", name: USER }],
    });
    return impersonating(cluster.newConfig());
  };
  harness = await startOperatorHarness({ logger, configure, reflectorTiming: { backoffFirstMs: 20, backoffLongestMs: 50 } });
}

function impersonating(config: KubeConfig): KubeConfig {
  config.users = config.users.map((user) => ({ ...user, impersonateUser: USER }));
  return config;
}

async function grantEverything(): Promise<void> {
  await harness.cluster.api.patch(ROLES, { namespace: harness.namespace, name: "operator" }, { rules: Object.values(ALL) });
}

const warnings = () => logger.lines.filter(({ level }) => level === "warn" || level === "error").map(({ message }) => message);
const SPEC = { remote: "https://git.example.com/a/b.git", suspend: true };

test("without Secrets a Connection says so, and the log does not repeat it", async () => {
  await startWithout("secrets");
  await harness.create("Connection", "blind", { provider: "git", secretRef: { name: "token" } });
  const object = await harness.untilReady("Connection", "blind", "False", "SecretMissing");
  expect(readyOf(object).message).toBe(`Coregit may not read the Secret token in the namespace ${harness.namespace}.`);
  expect(conditionOf(object, "Stalled")?.status).toBe("True");
  await harness.create("RepoSync", "seeing", SPEC);
  await harness.untilReady("RepoSync", "seeing", "False", "Suspended");
  expect(warnings()).toEqual([]);
});

test("without statuses the log says it once for all objects of a kind, and they are shown once it is granted", async () => {
  await startWithout("show");
  for (const name of ["one", "two", "three"]) await harness.create("RepoSync", name, SPEC);
  const failed = () => logger.lines.filter(({ message }) => message === "Reconcile failed and is repeated.");
  await until("each has failed twice", () => failed().length >= 6);
  expect(failed().filter(({ level }) => level === "warn").length).toBe(1);
  expect(String(failed()[0]?.fields.error)).toContain('cannot patch resource "reposyncs/status"');
  await grantEverything();
  for (const name of ["one", "two", "three"]) await harness.untilReady("RepoSync", name, "False", "Suspended");
});

test("without its kinds it waits, says once a kind what it may not, and begins when it may", async () => {
  await startWithout("watch");
  await harness.create("RepoSync", "unseen", SPEC);
  const refused = () => logger.lines.filter(({ fields }) => fields.status === 403);
  await until("it has asked again and again", () => refused().length >= 15);
  const told = refused().filter(({ level }) => level === "warn");
  expect(told.map(({ fields }) => fields.resource).sort()).toEqual([...KINDS].sort());
  expect(told[0]?.message).toBe("This program may not list and watch a kind that it needs.");
  await grantEverything();
  await harness.untilReady("RepoSync", "unseen", "False", "Suspended");
});

test("without the lease it leads nobody and says once why", async () => {
  await startWithout("lease");
  await until("it has tried to lead again and again", () => leaseFailures().length >= 3);
  expect(leaseFailures().filter(({ level }) => level === "warn").length).toBe(1);
  expect(harness.operator.isLeader).toBe(false);
  await grantEverything();
  await until("it leads", () => harness.operator.isLeader);
});

test("without Events everything works, and the log says once that there are none", async () => {
  await startWithout("events");
  for (const name of ["a", "b"]) await harness.create("Repository", name, {});
  for (const name of ["a", "b"]) await harness.untilReady("Repository", name, "True", "Stored");
  const events = () => logger.lines.filter(({ message }) => message === "An Event could not be written.");
  await until("both were tried", () => events().length === 2);
  expect(events().map(({ level }) => level)).toEqual(["warn", "debug"]);
});

const leaseFailures = () => logger.lines.filter(({ message }) => message === "The lease could not be read or written.");
