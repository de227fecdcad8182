// Every call of a reconcile breaks once, before or after the API server has acted on it: the end is the same as without. And
// what a reconcile costs that nothing interrupts.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { KubeObject } from "../../src/kube/object.ts";
import { FINALIZER } from "../../src/operator/kinds.ts";
import type { Cluster } from "../support/cluster.ts";
import { type Cut, type CuttingProxy, startCuttingProxy } from "../support/cutting-proxy.ts";
import { type OperatorHarness, startOperatorHarness } from "../support/operator-harness.ts";

let owned = new AsyncDisposableStack();
let harness: OperatorHarness;
let proxy: CuttingProxy;

beforeAll(async () => {
  await using stack = new AsyncDisposableStack();
  const configure = async (cluster: Cluster) => {
    proxy = stack.use(await startCuttingProxy(cluster.newConfig()));
    return proxy.config;
  };
  harness = stack.use(await startOperatorHarness({ configure }));
  owned = stack.move();
});

beforeEach(() => {
  proxy.decide = () => null;
});

afterEach(async () => {
  expect(await harness.brokenInvariants()).toEqual([]);
});

afterAll(async () => {
  await owned.disposeAsync();
});

const SPEC = { remote: "https://git.example.com/a/b.git", suspend: true };

const requestsFor = (name: string) =>
  proxy.requests.filter(({ path }) => path.includes(`/reposyncs/${name}/`) || path.endsWith(`/reposyncs/${name}`));

/** Cuts the first request about `name` by this method to its object or its status. */
function cutOnce(name: string, method: string, part: "object" | "status", cut: Cut): { wasCut: boolean } {
  const done = { wasCut: false };
  const ending = part === "status" ? `/reposyncs/${name}/status` : `/reposyncs/${name}`;
  proxy.decide = (request) => {
    if (done.wasCut || request.method !== method || !request.path.endsWith(ending)) return null;
    done.wasCut = true;
    return cut;
  };
  return done;
}

function withoutIdentity({ metadata, status }: KubeObject): object {
  const { syncId: _, repository: __, conditions, ...shown } = status as Record<string, unknown>;
  const bare = (conditions as Record<string, unknown>[]).map(({ lastTransitionTime: ___, ...condition }) => condition);
  return { finalizers: metadata.finalizers, conditions: bare, ...shown };
}

const CUTS = [
  ["GET", "object"],
  ["PATCH", "object"],
  ["PATCH", "status"],
] as const;

describe("a reconcile", () => {
  test("that makes a row writes finalizer and status once, and does not answer its own writes", async () => {
    await harness.create("RepoSync", "plain", SPEC);
    await harness.untilReady("RepoSync", "plain", "False", "Suspended");
    // Its own writes came back by the watch before this one does.
    await harness.create("RepoSync", "later", SPEC);
    await harness.untilReady("RepoSync", "later", "False", "Suspended");
    const methods = requestsFor("plain").map(({ method }) => method);
    expect(methods.filter((method) => method !== "GET")).toEqual(["PATCH", "PATCH"]);
    expect(methods.filter((method) => method === "GET").length).toBeLessThanOrEqual(2);
  });

  test.each(CUTS.flatMap(([method, part]) => (["before", "after"] as const).map((cut) => [method, part, cut] as const)))(
    "whose %s of the %s breaks %s the server acted ends as if it had not",
    async (method, part, cut) => {
      const name = `cut-${method}-${part}-${cut}`.toLowerCase();
      const done = cutOnce(name, method, part, cut);
      await harness.create("RepoSync", name, SPEC);
      const object = await harness.untilReady("RepoSync", name, "False", "Suspended");
      expect(done.wasCut).toBe(true);
      expect(withoutIdentity(object)).toEqual({
        finalizers: [FINALIZER],
        observedGeneration: 1,
        conditions: [
          {
            type: "Ready",
            status: "False",
            reason: "Suspended",
            message: "Suspended before its first success.",
            observedGeneration: 1,
          },
        ],
      });
      const { rows } = await harness.world.database.query("SELECT id FROM syncs WHERE name = $1", [name]);
      expect(rows.length).toBe(1);
    },
  );

  test.each(
    CUTS.slice(0, 2).flatMap(([method, part]) => (["before", "after"] as const).map((cut) => [method, part, cut] as const)),
  )("of a deletion whose %s of the %s breaks %s the server acted ends as if it had not", async (method, part, cut) => {
    const name = `end-${method}-${part}-${cut}`.toLowerCase();
    await harness.create("RepoSync", name, SPEC);
    await harness.untilReady("RepoSync", name, "False", "Suspended");
    const done = cutOnce(name, method, part, cut);
    await harness.delete("RepoSync", name);
    await harness.untilGone("RepoSync", name);
    expect(done.wasCut).toBe(true);
    const { rows } = await harness.world.database.query("SELECT id FROM syncs WHERE name = $1", [name]);
    expect(rows).toEqual([]);
  });
});
