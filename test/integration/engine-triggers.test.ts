// Asking for a run and getting its answer.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../src/sync/engine.ts";
import { serveSync } from "../support/served-sync.ts";
import { openSyncWorld, type SyncWorld } from "../support/sync-world.ts";
import { deadline, failureOf } from "../support/test-remotes.ts";

let world: SyncWorld;
let engine: Engine;

beforeAll(async () => {
  world = await openSyncWorld();
  engine = await world.startEngine();
});
afterAll(() => world[Symbol.asyncDispose]());

describe("a trigger", () => {
  it("resolves with the run that it caused", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    const { id } = await here.declare();
    const remote = await here.source.commit({ a: "2" });
    const run = await world.triggers.run(id, {}, deadline());
    expect(run).toMatchObject({ status: "success", remoteSha: remote, modified: 1, syncId: id });
    expect(await world.history.getRun(run.id)).toEqual(run);
  });

  it("of a sync that is up to date is answered by a skipped run", async () => {
    await using here = await serveSync(world, engine);
    const remote = await here.source.commit({ a: "1" });
    const sync = await here.declare();
    const requests = here.server.requests.length;
    const run = await world.triggers.run(sync.id, {}, deadline());
    await world.settle(engine, sync);
    expect(here.server.requests).toHaveLength(requests + 1);
    expect(run).toMatchObject({ status: "skipped", message: "Already up to date.", remoteSha: remote, commitSha: null });
  });

  it("is answered by the failure of its run, also one that had been concluded before", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    const { id } = await here.declare();
    await here.editHere({ a: "mine" });
    await here.source.commit({ a: "theirs" });
    for (const _attempt of [1, 2]) {
      const run = await world.triggers.run(id, {}, deadline());
      expect(run).toMatchObject({ status: "error", code: "Conflict", details: { paths: ["a"] } });
    }
  });

  it("says at once which run will answer", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    const sync = await here.declare();
    await here.source.commit({ a: "2" });
    const { runId } = await world.triggers.ask(sync.id, {});
    await world.settle(engine, sync);
    expect(await world.history.getRun(runId)).toMatchObject({ status: "success", modified: 1 });
  });

  it("shares its run with others that ask for the same at the same time", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    const { id } = await here.declare();
    await here.source.commit({ a: "2" });
    const runs = await Promise.all(Array.from({ length: 10 }, () => world.triggers.run(id, {}, deadline())));
    // The first may have been taken before the others arrived; those then share the next run.
    expect(new Set(runs.map((run) => run.id)).size).toBeLessThanOrEqual(3);
    expect(runs.filter(({ status }) => status === "success").length).toBeGreaterThan(0);
    expect(await world.git(["rev-list", "--count", "main"], here.name)).toBe("2");
  });

  it("may run a sync that does not poll, and leaves its schedule as it was", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    const { id } = await here.declare();
    await world.triggers.run(id, {}, deadline());
    expect(await world.declarations.readSync(id)).toMatchObject({ nextRunAt: null });
  });

  it("ends with its signal when no worker takes it, and leaves nothing behind", async () => {
    await using idle = await openSyncWorld();
    const { id } = await idle.declare("http://127.0.0.1:1/none.git");
    const reason = new Error("enough");
    await expect(idle.triggers.run(id, {}, AbortSignal.any([AbortSignal.abort(reason)]))).rejects.toBe(reason);
    const controller = new AbortController();
    const waiting = idle.triggers.run(id, {}, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect((await idle.database.query("SELECT 1 FROM triggers")).rowCount).toBe(0);
  });

  it("of a suspended or unknown sync is refused", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    const { id } = await here.declare({ suspend: true });
    expect(await failureOf(world.triggers.run(id, {}, deadline()))).toMatchObject({ code: "Suspended" });
    expect(await failureOf(world.triggers.run("sync_none", {}, deadline()))).toMatchObject({ code: "SyncNotFound" });
    expect(await failureOf(world.triggers.run(id, { branch: "-x" }, deadline()))).toMatchObject({ code: "RefNameRefused" });
  });

  it("that waits learns that the sync is suspended or removed", async () => {
    await using idle = await openSyncWorld();
    const first = await idle.declare("http://127.0.0.1:1/none.git", {}, "first");
    const second = await idle.declare("http://127.0.0.1:1/none.git", {}, "second");
    const suspended = failureOf(idle.triggers.run(first.id, {}, deadline()));
    const removed = failureOf(idle.triggers.run(second.id, {}, deadline()));
    await expect.poll(async () => (await idle.database.query("SELECT 1 FROM triggers")).rowCount).toBe(2);
    await idle.declare("http://127.0.0.1:1/none.git", { suspend: true }, "first");
    await idle.declarations.withdrawSync(second.owner, "default", "second");
    expect(await suspended).toMatchObject({ code: "Suspended" });
    expect(await removed).toMatchObject({ code: "SyncNotFound" });
  });
});

describe("a trigger of mode Plan", () => {
  it("reports what the sync would do, and changes neither the branch nor the status", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1", b: "1" });
    const before = await here.declare();
    const head = await world.head("main", here.name);
    await here.source.commit({ a: "2", b: null, c: "1" });
    const run = await world.triggers.run(before.id, { mode: "Plan" }, deadline());
    expect(run).toMatchObject({
      status: "skipped",
      plan: { added: 1, modified: 1, deleted: 1, paths: ["a", "b", "c"], conflicts: [] },
    });
    expect(await world.head("main", here.name)).toBe(head);
    expect(await world.declarations.readSync(before.id)).toEqual(before);
    expect(await here.runAgain()).toMatchObject({ lastRun: { status: "success", added: 1, modified: 1, deleted: 1 } });
  });

  it("lists conflicts instead of failing", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    const { id } = await here.declare();
    await here.editHere({ a: "mine" });
    await here.source.commit({ a: "theirs" });
    const run = await world.triggers.run(id, { mode: "Plan" }, deadline());
    expect(run).toMatchObject({ status: "skipped", plan: { conflicts: ["a"] } });
  });
});

describe("a trigger that names a branch", () => {
  it("imports that branch into one of the same name, again and again, beside the declared one", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    const before = await here.declare();
    await here.source.commit({ side: "1", gone: "1" }, { branch: "side" });
    expect(await world.triggers.run(before.id, { branch: "side" }, deadline())).toMatchObject({
      status: "success",
      branch: "side",
    });
    await here.source.commit({ side: "2", gone: null }, { branch: "side" });
    expect(await world.triggers.run(before.id, { branch: "side" }, deadline())).toMatchObject({ status: "success", deleted: 1 });
    expect(await world.tree("side", here.name)).toBe(await here.source.tree("side"));
    expect(await world.declarations.readSync(before.id)).toEqual(before);
    expect(await here.runAgain()).toMatchObject({ lastRun: before.lastRun });
  });

  it("that fails leaves the sync as it was", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    const before = await here.declare();
    expect(await world.triggers.run(before.id, { branch: "none" }, deadline())).toMatchObject({ code: "BranchMissing" });
    expect(await world.declarations.readSync(before.id)).toEqual(before);
  });
});

describe("history", () => {
  it("comes in pages, newest first, without gaps or repetitions", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    const { id } = await here.declare();
    for (let count = 0; count < 4; count += 1) await world.triggers.run(id, {}, deadline());
    const all = (await world.history.listRuns({ syncId: id }, { limit: 100 })).runs;
    const paged = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof world.history.listRuns>> = await world.history.listRuns(
        { syncId: id },
        { limit: 2, cursor },
      );
      paged.push(...page.runs);
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(paged).toEqual(all);
    expect(all).toHaveLength(5);
  });

  it("refuses a cursor that it did not give", async () => {
    for (const cursor of ["", "x", Buffer.from('["now()","run_1"]').toString("base64url")]) {
      const listed = world.history.listRuns({ syncId: "s" }, { limit: 1, cursor });
      expect(await failureOf(listed), cursor).toMatchObject({ code: "InvalidRequest" });
    }
  });
});
