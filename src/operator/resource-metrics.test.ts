import { expect, test } from "vitest";
import { ObjectStore } from "../kube/object-store.ts";
import { REPO_SYNC } from "./kinds.ts";
import { measureResources, type ResourceMetrics } from "./resource-metrics.ts";

const READY = { type: "Ready", status: "True", reason: "Synced", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" };

function repoSync(name: string, resourceVersion: string, status?: unknown) {
  return { metadata: { name, namespace: "team", uid: name, resourceVersion }, status };
}

function board(): ResourceMetrics & { readonly shown: ResourceMetrics["shown"]; readonly series: Map<string, unknown> } {
  const series = new Map<string, unknown>();
  return {
    series,
    shown: ({ name, ...rest }) => void series.set(name, rest),
    gone: ({ name }) => void series.delete(name),
    cleared: () => series.clear(),
  };
}

test("resources are shown as their statuses come, go with the resources, and all of them with the leadership", () => {
  const store = new ObjectStore();
  store.upsert(repoSync("old", "1"));
  const metrics = board();
  const measuring = measureResources(metrics, [{ resource: REPO_SYNC, store }]);
  const plain = { kind: "RepoSync", namespace: "team", conditions: [], lastSyncedAtMs: null };
  expect([...metrics.series]).toEqual([["old", plain]]);

  store.upsert(repoSync("new", "2"));
  store.upsert(repoSync("new", "3", { conditions: [READY], lastSyncedAt: "1970-01-01T00:00:05Z" }));
  expect(metrics.series.get("new")).toEqual({ ...plain, conditions: [READY], lastSyncedAtMs: 5_000 });
  store.upsert(repoSync("new", "4", { lastSyncedAt: "by hand" }));
  expect(metrics.series.get("new")).toEqual(plain);

  store.remove(repoSync("new", "4"));
  expect([...metrics.series.keys()]).toEqual(["old"]);
  measuring[Symbol.dispose]();
  store.upsert(repoSync("later", "5"));
  expect([...metrics.series.keys()]).toEqual([]);
});
