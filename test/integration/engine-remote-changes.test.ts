// Remotes that change under a run or ask it to wait, and a sync point whose tree is gone.
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/domain/clock.ts";
import { ProgressBoard } from "../../src/domain/progress.ts";
import type { Engine } from "../../src/sync/engine.ts";
import type { Fault } from "../support/git-http-faults.ts";
import { ManualTime } from "../support/manual-time.ts";
import { type ServedSync, serveSync } from "../support/served-sync.ts";
import { openSyncWorld, type SyncWorld } from "../support/sync-world.ts";

let world: SyncWorld;
let engine: Engine;

beforeAll(async () => {
  world = await openSyncWorld();
  engine = await world.startEngine();
});
afterAll(() => world[Symbol.asyncDispose]());

/** Puts the branch elsewhere and forgets what it was, before git answers the request that is being looked at. */
function moveUnderIt({ source }: ServedSync, to: string): void {
  const run = (...args: string[]) => execFileSync("git", ["-C", source.path, ...args], { stdio: "ignore" });
  run("update-ref", "refs/heads/main", to);
  run("reflog", "expire", "--expire=now", "--all");
  run("prune", "--expire=now");
}

/** Commits of unrelated histories, each kept by a branch of its own; `main` is the first. */
async function commitsToMoveBetween({ source }: ServedSync, count: number): Promise<string[]> {
  const oids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const branch = `kept-${index}`;
    oids.push(await source.commit({ a: `${index}\n` }, { branch }));
  }
  await source.branch("main", await source.commit({ a: "first\n" }, { branch: "fleeting" }));
  await source.deleteBranch("fleeting");
  return oids;
}

describe("a branch that moves between the look at its head and the fetch", () => {
  it("is read again within the run", async () => {
    await using here = await serveSync(world, engine);
    const [next = ""] = await commitsToMoveBetween(here, 1);
    let moves = 0;
    here.server.fault = ({ method }) => {
      if (method === "POST" && here.server.requests.length === 3) {
        moveUnderIt(here, next);
        moves += 1;
      }
      return null;
    };
    expect(await here.declare()).toMatchObject({ lastErrorCode: null, failures: 0, lastSyncedSha: next });
    expect(moves).toBe(1);
    expect(await here.runs()).toMatchObject([{ status: "success", remoteSha: next }]);
    expect(await here.files()).toEqual({ a: "0" });
  });

  it("each time is left to the next run, which says why", async () => {
    await using here = await serveSync(world, engine);
    const first = await here.source.commit({ a: "0" });
    let restless = true;
    const fresh = (): string => {
      const parent = execFileSync("git", ["-C", here.source.path, "rev-parse", "main"], { encoding: "utf8" }).trim();
      const identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
      const commit = ["commit-tree", `${parent}^{tree}`, "-m", `${here.server.requests.length}`];
      return execFileSync("git", ["-C", here.source.path, ...identity, ...commit], { encoding: "utf8" }).trim();
    };
    const isFetch = (number: number): boolean => number === 3 || (number > 3 && number % 2 === 1);
    here.server.fault = ({ method }) => {
      if (restless && method === "POST" && isFetch(here.server.requests.length)) moveUnderIt(here, fresh());
      return null;
    };
    expect(await here.declare()).toMatchObject({
      lastErrorCode: "RemoteMoved",
      lastError: "The remote no longer offers the commit that its branch named a moment ago.",
      failures: 1,
      lastSyncedSha: null,
    });
    expect(await world.head("main", here.name)).toBeNull();
    expect(await here.source.head()).not.toBe(first);
    restless = false;
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: null, lastSyncedSha: await here.source.head() });
  });
});

describe("a remote that asks to wait", () => {
  const IN_TEN_MINUTES_MS = 600_000;

  const ways: readonly [how: string, status: number, retryAfter: () => string][] = [
    ["429 and seconds", 429, () => "600"],
    ["503 and a date", 503, () => new Date(Date.now() + IN_TEN_MINUTES_MS + 999).toUTCString()],
  ];
  it.each(ways)("by %s is left alone until then", async (_how, status, retryAfter) => {
    let passedMs = 0;
    const clock = { now: () => Date.now() + passedMs, monotonic: () => systemClock.monotonic() };
    await using patient = await openSyncWorld(clock);
    const worker = await patient.startEngine();
    await using here = await serveSync(patient, worker);
    await here.source.commit({ a: "1" });
    const askedMs = Date.now();
    here.server.fault = (): Fault => ({ kind: "status", status, headers: { "retry-after": retryAfter() } });
    const limited = await here.declare({ intervalMs: 1_000 });
    expect(limited).toMatchObject({ lastErrorCode: "RateLimited", failures: 1 });
    const waitMs = Date.parse(limited.nextRunAt ?? "") - askedMs;
    expect(waitMs).toBeGreaterThanOrEqual(IN_TEN_MINUTES_MS - 1_000);
    expect(waitMs).toBeLessThan(IN_TEN_MINUTES_MS + 90_000);
    // Whatever wakes the workers meanwhile.
    const requests = here.server.requests.length;
    await patient.database.query("SELECT pg_notify('coregit_sync_due', $1)", [limited.id]);
    expect(await patient.settle(worker, limited)).toMatchObject({ lastErrorCode: "RateLimited", nextRunAt: limited.nextRunAt });
    here.server.fault = null;
    expect(await here.runAgain(), "asked to run before then").toMatchObject({ lastErrorCode: "RateLimited" });
    expect(here.server.requests).toHaveLength(requests);
    passedMs = IN_TEN_MINUTES_MS + 90_000;
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: null, failures: 0, lastSyncedSha: await here.source.head() });
  });
});

describe("a sync point whose tree is gone", () => {
  /** One import, then the loss. */
  async function importedAndLost(spec: Parameters<ServedSync["declare"]>[0] = {}): Promise<ServedSync> {
    const here = await serveSync(world, engine);
    await here.source.commit({ a: "1", b: "1" });
    const sync = await here.declare(spec);
    await world.database.query("UPDATE sync_points SET remote_tree = $2 WHERE sync_id = $1", [sync.id, "1".repeat(40)]);
    return here;
  }

  it("costs a whole fetch and heals when only new files came", async () => {
    await using here = await importedAndLost();
    await here.source.commit({ c: "1" });
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: null, lastSyncedSha: await here.source.head() });
    expect(await here.files()).toEqual({ a: "1", b: "1", c: "1" });
    await here.source.commit({ a: "2", b: null });
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: null });
    expect(await here.files()).toEqual({ a: "2", c: "1" });
  });

  it("makes a conflict of what differs, as nobody knows any more which side changed it", async () => {
    await using here = await importedAndLost();
    await here.source.commit({ a: "2" });
    const sync = await here.runAgain();
    expect(sync).toMatchObject({ lastErrorCode: "Conflict" });
    expect((await here.runs())[0]).toMatchObject({ code: "Conflict", details: { paths: ["a"] } });
    expect(await here.files()).toEqual({ a: "1", b: "1" });
    const { name, server } = here;
    await world.declare(server.remoteUrl, { onDivergence: "Overwrite" }, name);
    expect(await world.settle(engine, sync)).toMatchObject({ lastErrorCode: null, lastSyncedSha: await here.source.head() });
    expect(await here.files()).toEqual({ a: "2", b: "1" });
  });

  it("deletes nothing here that is gone there", async () => {
    await using here = await importedAndLost();
    await here.source.commit({ b: null });
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: null });
    expect(await here.files()).toEqual({ a: "1", b: "1" });
  });
});

describe("a remote with a detached HEAD", () => {
  it("has to be told which branch is meant", async () => {
    await using here = await serveSync(world, engine);
    const oid = await here.source.commit({ a: "1" });
    await here.source.git("update-ref", "--no-deref", "HEAD", oid);
    await here.source.commit({ a: "2" });
    const sync = await here.declare({ branch: null });
    expect(sync).toMatchObject({
      lastErrorCode: "BranchMissing",
      lastError: "The remote's HEAD names no branch that is there; set one with `branch`.",
    });
    await world.declare(here.server.remoteUrl, { branch: "main" }, here.name);
    expect(await world.settle(engine, sync)).toMatchObject({ lastErrorCode: null, lastSyncedSha: await here.source.head() });
  });
});

describe("the claim loop's sign of life", () => {
  it("is there while nothing is due for an hour, and ends with the engine", async () => {
    const time = new ManualTime();
    const progress = new ProgressBoard(time);
    await using quiet = await openSyncWorld();
    {
      await using idle = await quiet.startEngine({ progress });
      await idle.drain();
      time.advance(1_000_000);
      expect(progress.stalled()).toEqual([]);
      time.advance(3_600_000);
      expect(progress.stalled()).toMatchObject([{ name: "claim loop" }]);
    }
    expect(progress.stalled()).toEqual([]);
  });
});
