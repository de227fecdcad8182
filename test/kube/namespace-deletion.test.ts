// A namespace that a person deletes with everything in it, on a control plane whose controllers really delete it: the namespace
// controller deletes the objects, in no order, and waits for finalizers.
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { NAMESPACES } from "../support/cluster.ts";
import { type ControlPlane, startControlPlane } from "../support/control-plane.ts";
import { type OperatorHarness, startOperatorHarness } from "../support/operator-harness.ts";
import { until } from "../support/until.ts";

const CRDS = join(import.meta.dirname, "../../crds");
/** With nothing built before, the controller manager is. */
const BUILD_MS = 1_200_000;

vi.setConfig({ hookTimeout: BUILD_MS });

let controlPlane: ControlPlane;
let harness: OperatorHarness;

beforeAll(async () => {
  controlPlane = await startControlPlane((line) => void process.stderr.write(`${line}\n`), { controllers: true });
  harness = await startOperatorHarness({ address: { ...controlPlane, crds: CRDS } });
}, BUILD_MS);

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  await controlPlane[Symbol.asyncDispose]();
});

test("ends, and leaves no row behind but the repository that is to be retained", async () => {
  const { cluster, namespace, world } = harness;
  await cluster.kubectl("create", "secret", "generic", "remote", "--from-literal=token=secret", "--namespace", namespace);
  await harness.create("Connection", "remote", { provider: "git", secretRef: { name: "remote" } });
  await harness.create("Repository", "kept", {});
  const spec = { remote: "https://git.example.com/a/b.git", connectionRef: { name: "remote" }, suspend: true };
  await harness.create("RepoSync", "held", spec);
  await harness.untilReady("RepoSync", "held", "False", "Suspended");
  await harness.untilReady("Repository", "kept", "True", "Stored");

  await cluster.api.delete(NAMESPACES, { namespace: "", name: namespace });
  const isGone = async () => (await cluster.api.get(NAMESPACES, { namespace: "", name: namespace })) === null;
  await until("the namespace is gone", isGone, 60_000);
  const rows = async (table: string) =>
    (await world.database.query<{ name: string }>(`SELECT name FROM ${table} WHERE namespace = $1`, [namespace])).rows;
  expect([await rows("syncs"), await rows("connections")]).toEqual([[], []]);
  const kept = await world.database.query("SELECT slug FROM repositories WHERE namespace = $1 ORDER BY slug", [namespace]);
  expect(kept.rows).toEqual([{ slug: "held" }, { slug: "kept" }]);
});
