import { describe, expect, test } from "vitest";
import type { SyncStatus } from "../domain/declaration.ts";
import { EMPTY_TREE } from "../domain/oid.ts";
import { createProgress } from "./progress.ts";
import { renderSyncTable } from "./sync-table.ts";

const status: SyncStatus = {
  id: "sync_1",
  owner: { kind: "file", ref: "RepoSync/default/app" },
  namespace: "default",
  name: "app",
  repository: { id: "repo_1", namespace: "default", slug: "app" },
  connection: null,
  connectionId: null,
  provider: "git",
  spec: {
    remote: "https://git.example/app.git",
    direction: "import",
    branch: null,
    remoteBranch: null,
    autoSync: true,
    intervalMs: 5000,
    timeoutMs: 60_000,
    suspend: false,
    onDivergence: "Merge",
    maxDeletions: null,
    mode: "Apply",
    include: [],
    exclude: [],
    path: "",
    remotePath: "",
    commitAuthor: null,
    messageTemplate: null,
    transport: "auto",
  },
  generation: 1,
  handledGeneration: 0,
  isRunning: false,
  failures: 0,
  nextRunAt: null,
  createdAt: "2026-01-01T00:00:00.000Z",
  lastSyncedSha: null,
  lastSyncedAt: null,
  lastError: null,
  lastErrorCode: null,
  remoteSha: null,
  localSha: null,
  localBranch: null,
  remoteBranch: null,
  lastRun: null,
  webhook: null,
  plan: null,
};
const running: SyncStatus = { ...status, isRunning: true };
const done: SyncStatus = {
  ...status,
  handledGeneration: 1,
  lastSyncedSha: EMPTY_TREE,
  localBranch: "main",
  remoteBranch: "main",
};
const failed: SyncStatus = {
  ...status,
  handledGeneration: 1,
  lastErrorCode: "RemoteNotFound",
  lastError: "No such\u001b[2J remote.",
};

function capture(isTTY: boolean, columns = 120) {
  const written: string[] = [];
  return { written, progress: createProgress({ isTTY, columns, write: (text) => void written.push(text) }) };
}

describe("the table of syncs", () => {
  test("has a line a sync with what a person wants to know", () => {
    expect(renderSyncTable([done, { ...running, name: "other" }])).toEqual([
      "NAME           READY  STATUS   DIRECTION  REMOTE                       BRANCH  SHA",
      "default/app    True   Synced   import     https://git.example/app.git  main    4b825dc642cb",
      "default/other  False  Running  import     https://git.example/app.git  -       -",
    ]);
  });

  test("says beneath what is wrong, without letting it touch the terminal", () => {
    expect(renderSyncTable([failed]).at(-1)).toBe("  default/app: No such�[2J remote.");
  });
});

describe("progress", () => {
  test("elsewhere than on a terminal is a line for each change, and the table at the end", () => {
    const { written, progress } = capture(false);
    for (const state of [status, running, running, done]) progress.show([state]);
    progress.finish([done]);
    expect(written).toEqual([
      "default/app: The first run has not finished yet.\n",
      "default/app: importing https://git.example/app.git\n",
      "default/app: Imported https://git.example/app.git main at 4b825dc6.\n",
      `${renderSyncTable([done]).join("\n")}\n`,
    ]);
  });

  test("on a terminal draws the table over itself, once for each visible change, within the width", () => {
    const { written, progress } = capture(true, 40);
    for (const state of [running, running, done]) progress.show([state]);
    progress.finish([done]);
    expect(written).toHaveLength(2);
    expect(written[0]).not.toContain("\u001b[2A");
    expect(written[1]?.startsWith("\u001b[2A\r\u001b[J")).toBe(true);
    const lines = written.join("").replaceAll("\u001b[2A\r", "").replaceAll("\u001b[J", "").split("\n");
    for (const line of lines) expect(line.length).toBeLessThan(40);
  });
});
