import { describe, expect, test } from "vitest";
import type { SyncStatus } from "../domain/declaration.ts";
import { EMPTY_TREE } from "../domain/oid.ts";
import { MESSAGE_MAX_LENGTH } from "./condition.ts";
import { parseResource } from "./parse-resource.ts";
import type { RepoSync } from "./repo-sync.ts";
import { repoSyncStatusSchema } from "./repo-sync-status.ts";
import { failedSyncStatus, readyState, syncStatusToResource } from "./status.ts";
import { toSyncDeclaration } from "./to-declaration.ts";

const OWNER = { kind: "file", ref: "x" } as const;
const NOW = "2026-01-02T03:04:05.000Z";
const LATER = "2026-01-02T04:00:00.000Z";

function declared(spec: object) {
  const document = {
    apiVersion: "coregit.dev/v1alpha1",
    kind: "RepoSync",
    metadata: { name: "website" },
    spec: { remote: "a/b", ...spec },
  };
  const parsed = parseResource(document);
  if (!parsed.ok || parsed.resource.kind !== "RepoSync") throw new Error("not a RepoSync");
  return toSyncDeclaration(parsed.resource as RepoSync, OWNER);
}

const { spec } = declared({});

const synced: SyncStatus = {
  id: "sync_1",
  owner: OWNER,
  namespace: "default",
  name: "website",
  repository: { id: "repo_1", namespace: "default", slug: "website" },
  connection: null,
  connectionId: null,
  provider: "git",
  spec,
  generation: 3,
  handledGeneration: 3,
  isRunning: false,
  failures: 0,
  nextRunAt: LATER,
  createdAt: NOW,
  lastSyncedSha: EMPTY_TREE,
  lastSyncedAt: NOW,
  lastError: null,
  lastErrorCode: null,
  remoteSha: EMPTY_TREE,
  localSha: EMPTY_TREE,
  localBranch: "main",
  remoteBranch: "main",
  lastRun: null,
  webhook: null,
  plan: null,
};

const fresh = { generation: 7, previous: undefined, now: NOW };

describe("the state of a sync", () => {
  test.each<[string, Partial<SyncStatus>, ReturnType<typeof readyState>]>([
    ["in step", {}, { ready: "True", reason: "Synced", message: "Imported a/b main at 4b825dc6." }],
    [
      "not run yet",
      { handledGeneration: 0, lastSyncedSha: null },
      { ready: "False", reason: "Progressing", message: "The first run has not finished yet.", because: "Reconciling" },
    ],
    [
      "changed since",
      { handledGeneration: 2 },
      {
        ready: "False",
        reason: "Progressing",
        message: "A run of the changed declaration has not finished yet.",
        because: "Reconciling",
      },
    ],
    [
      "failed, to be retried",
      { lastErrorCode: "RemoteNotFound", lastError: "Gone." },
      { ready: "False", reason: "RemoteNotFound", message: "Gone.", because: "Reconciling" },
    ],
    [
      "failed for good",
      { lastErrorCode: "Conflict", lastError: "Both." },
      { ready: "False", reason: "Conflict", message: "Both.", because: "Stalled" },
    ],
    [
      "a routine run is going on",
      { isRunning: true },
      { ready: "True", reason: "Synced", message: "Imported a/b main at 4b825dc6." },
    ],
    [
      "suspended in step",
      { spec: { ...spec, suspend: true }, handledGeneration: 1 },
      { ready: "True", reason: "Suspended", message: "Suspended. Imported a/b main at 4b825dc6." },
    ],
    [
      "suspended before anything",
      { spec: { ...spec, suspend: true }, lastSyncedSha: null },
      { ready: "False", reason: "Suspended", message: "Suspended before its first success." },
    ],
    [
      "suspended after a failure that would be retried",
      { spec: { ...spec, suspend: true }, lastErrorCode: "RateLimited", lastError: "Wait." },
      { ready: "False", reason: "RateLimited", message: "Suspended. Wait." },
    ],
    [
      "planned",
      { spec: { ...spec, mode: "Plan" }, plan: { added: 1, modified: 2, deleted: 3, paths: [] } },
      { ready: "True", reason: "Planned", message: "A run would add 1, change 2 and delete 3; mode Plan writes nothing." },
    ],
  ])("%s", (_, change, state) => {
    expect(readyState({ ...synced, ...change })).toEqual(state);
  });
});

test("a status has what the sync has, in conditions of this generation", () => {
  const status = syncStatusToResource(synced, fresh);
  expect(status).toEqual({
    observedGeneration: 7,
    conditions: [
      {
        type: "Ready",
        status: "True",
        observedGeneration: 7,
        lastTransitionTime: NOW,
        reason: "Synced",
        message: "Imported a/b main at 4b825dc6.",
      },
    ],
    syncId: "sync_1",
    repository: "website",
    branch: "main",
    lastSyncedSha: EMPTY_TREE,
    lastSyncedAt: NOW,
    remoteSha: EMPTY_TREE,
    localSha: EMPTY_TREE,
  });
  expect(repoSyncStatusSchema.parse(status)).toEqual(status);
});

test("the same facts later give the same status", () => {
  const status = syncStatusToResource(synced, fresh);
  expect(syncStatusToResource(synced, { generation: 7, previous: status, now: LATER })).toEqual(status);
});

test("a transition's time moves with the status, not with the reason", () => {
  const first = syncStatusToResource({ ...synced, lastErrorCode: "RemoteNotFound", lastError: "Gone." }, fresh);
  const second = syncStatusToResource(
    { ...synced, lastErrorCode: "Conflict", lastError: "Both." },
    { generation: 7, previous: first, now: LATER },
  );
  expect(second.conditions?.map(({ type, reason, lastTransitionTime }) => [type, reason, lastTransitionTime])).toEqual([
    ["Ready", "Conflict", NOW],
    ["Stalled", "Conflict", LATER],
  ]);
});

test("messages are cut to what a status may hold", () => {
  const status = syncStatusToResource({ ...synced, lastErrorCode: "Internal", lastError: "x".repeat(5000) }, fresh);
  expect(status.lastError).toHaveLength(MESSAGE_MAX_LENGTH);
  expect(repoSyncStatusSchema.safeParse(status).success).toBe(true);
});

test("a declaration that cannot be taken over keeps what the last sync left", () => {
  const previous = syncStatusToResource(synced, fresh);
  const status = failedSyncStatus("InvalidSpec", "spec.branch is wrong", { generation: 8, previous, now: LATER });
  expect(status).toMatchObject({ observedGeneration: 8, lastSyncedSha: EMPTY_TREE, lastError: "spec.branch is wrong" });
  expect(status.conditions?.map(({ type, status: value }) => `${type}=${value}`)).toEqual(["Ready=False", "Stalled=True"]);
});

test("an annotation that was acted on is remembered", () => {
  const status = syncStatusToResource(synced, { ...fresh, handledReconcileAt: "now" });
  expect(syncStatusToResource(synced, { ...fresh, previous: status }).lastHandledReconcileAt).toBe("now");
});

test("a declaration has durations in milliseconds and limits as data", () => {
  expect(declared({ interval: "1h30m", timeout: "2s", maxDeletions: "20%", repository: "x" })).toMatchObject({
    namespace: "default",
    name: "website",
    repository: "x",
    connection: null,
    requestedAt: null,
    spec: { intervalMs: 5_400_000, timeoutMs: 2000, maxDeletions: { percent: 20 }, include: [], path: "", branch: null },
  });
  expect(declared({ maxDeletions: 0 }).spec.maxDeletions).toEqual({ count: 0 });
});
