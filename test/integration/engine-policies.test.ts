// What an import does when both sides have something of their own, and where it stops.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../src/sync/engine.ts";
import { serveSync } from "../support/served-sync.ts";
import { openSyncWorld, type SyncWorld } from "../support/sync-world.ts";

let world: SyncWorld;
let engine: Engine;

beforeAll(async () => {
  world = await openSyncWorld();
  engine = await world.startEngine();
});
afterAll(() => world[Symbol.asyncDispose]());

describe("when the local branch was edited", () => {
  it("Merge keeps the edits and takes the remote's changes", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1", b: "1" });
    await here.declare();
    await here.editHere({ mine: "mine" });
    await here.source.commit({ a: "2" });
    expect(await here.runAgain()).toMatchObject({ lastError: null });
    expect(await here.files()).toEqual({ a: "2", b: "1", mine: "mine" });
    expect(await world.git(["rev-list", "--count", "main"], here.name)).toBe("3");
  });

  it("Merge stops at the first path that both sides changed, names it, and runs again once it is resolved", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1", b: "1" });
    await here.declare();
    const mine = await here.editHere({ a: "mine" });
    await here.source.commit({ a: "theirs", b: "2" });
    const stopped = await here.runAgain();
    expect(stopped).toMatchObject({ lastErrorCode: "Conflict", failures: 1, nextRunAt: null, lastRun: { status: "error" } });
    expect(await world.head("main", here.name)).toBe(mine);
    expect((await here.runs())[0]).toMatchObject({ code: "Conflict", details: { paths: ["a"] }, commitSha: null });
    await here.editHere({ a: "theirs" });
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: null, failures: 0 });
    expect(await here.files()).toEqual({ a: "theirs", b: "2" });
  });

  it("a conflict is not fetched again while neither side has moved", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    await here.declare();
    await here.editHere({ a: "mine" });
    await here.source.commit({ a: "theirs" });
    const stopped = await here.runAgain();
    const requests = here.server.requests.length;
    const runs = await here.runs();
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: "Conflict", lastRun: stopped.lastRun });
    expect(here.server.requests).toHaveLength(requests + 1);
    expect(await here.runs()).toEqual(runs);
  });

  it("Overwrite ends with the remote's tree, and the edits stay in history", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    await here.declare({ onDivergence: "Overwrite" });
    const mine = await here.editHere({ a: "mine", extra: "x" });
    await here.runAgain();
    expect(await world.tree("main", here.name)).toBe(await here.source.tree());
    expect(await world.git(["log", "-1", "--format=%P", "main"], here.name)).toBe(mine);
  });

  it("Fail stops, and what is here stays", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    await here.declare({ onDivergence: "Fail" });
    const mine = await here.editHere({ other: "mine" });
    await here.source.commit({ a: "2" });
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: "Diverged" });
    expect(await world.head("main", here.name)).toBe(mine);
  });

  it("Merge without anything new from the remote makes no run at all", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    await here.declare();
    await here.editHere({ mine: "1" });
    await here.runAgain();
    expect(await here.runs()).toHaveLength(1);
    expect(await here.files()).toEqual({ a: "1", mine: "1" });
  });
});

describe("what is selected", () => {
  it("limits what is read, changed and deleted", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ "docs/a.md": "1", "docs/b.md": "1", "src/x.ts": "1" });
    await here.declare({ include: ["docs/**"], exclude: ["**/b.md"] });
    expect(await here.files()).toEqual({ "docs/a.md": "1" });
    await here.editHere({ "docs/b.md": "mine", "src/mine.ts": "mine" });
    await here.source.commit({ "docs/a.md": null, "docs/b.md": null, "docs/c.md": "1" });
    await here.runAgain();
    expect(await here.files()).toEqual({ "docs/b.md": "mine", "docs/c.md": "1", "src/mine.ts": "mine" });
  });

  it("puts a folder of the remote into a folder here", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ "site/public/index.html": "1", other: "1" });
    await here.declare({ remotePath: "site/public", path: "vendor/site" });
    expect(await here.files()).toEqual({ "vendor/site/index.html": "1" });
    await here.source.commit({ "site/public/index.html": "2", other: "2" });
    await here.runAgain();
    expect(await here.files()).toEqual({ "vendor/site/index.html": "2" });
  });
});

describe("deletions", () => {
  it("beyond maxDeletions stop the run", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1", b: "1", c: "1" });
    await here.declare({ maxDeletions: { count: 1 } });
    await here.source.commit({ a: null, b: null });
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: "TooManyDeletions" });
    expect(Object.keys(await here.files())).toEqual(["a", "b", "c"]);
  });

  it("of everything are refused unless all of it may go", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1", b: "1" });
    await here.declare();
    await here.source.commit({ a: null, b: null });
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: "EmptyUpstream" });
    expect(await here.declare({ maxDeletions: { percent: 100 } })).toMatchObject({ lastErrorCode: null });
    expect(await here.files()).toEqual({});
  });
});

describe("mode Plan", () => {
  it("reports what it would do and writes nothing", async () => {
    await using here = await serveSync(world, engine);
    const remote = await here.source.commit({ a: "1", b: "1" });
    const status = await here.declare({ mode: "Plan" });
    expect(status).toMatchObject({
      plan: { added: 2, modified: 0, deleted: 0, paths: ["a", "b"] },
      lastSyncedSha: null,
      lastError: null,
      handledGeneration: 1,
    });
    expect(await world.head("main", here.name)).toBeNull();
    expect(await here.runs()).toMatchObject([
      { status: "skipped", message: "Plan: 2 added, 0 modified, 0 deleted.", remoteSha: remote, commitSha: null },
    ]);
    expect(await here.declare()).toMatchObject({ plan: null, lastSyncedSha: remote });
  });
});
