// Exports to a real git server: what arrives, what is recorded, and what is not sent.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../src/sync/engine.ts";
import { serveExport } from "../support/served-export.ts";
import { openSyncWorld, type SyncWorld } from "../support/sync-world.ts";
import { deadline } from "../support/test-remotes.ts";

let world: SyncWorld;
let engine: Engine;

beforeAll(async () => {
  world = await openSyncWorld();
  engine = await world.startEngine();
});
afterAll(() => world[Symbol.asyncDispose]());

describe("an export", () => {
  it("to an empty remote makes the branch, with one commit of the same tree", async () => {
    await using here = await serveExport(world, engine);
    const local = await here.editHere({ a: "1", "b/c": "1" });
    const status = await here.declare();
    const head = await here.remote.head();
    expect(status).toMatchObject({ lastError: null, lastSyncedSha: local, localSha: local, remoteSha: head });
    expect(await here.remote.tree()).toBe(await world.tree("main", here.name));
    expect(await here.remote.git("rev-list", "--count", "main")).toBe("1");
    expect(await here.runs()).toMatchObject([
      {
        status: "success",
        direction: "export",
        message: "Exported 2 files.",
        remoteSha: head,
        commitSha: head,
        added: 2,
        modified: 0,
        deleted: 0,
      },
    ]);
    const message = await here.remote.git("log", "-1", "--format=%B", "main");
    expect(message).toContain(
      `Coregit-Sync: ${status.id}\nCoregit-Origin: default/${here.name}\nCoregit-Origin-Commit: ${local}`,
    );
    await here.remote.git("fsck", "--strict", "--full");
  });

  it("of a change is one commit on top, with nothing fetched", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1", b: "1", "c/d": "1" });
    await here.declare();
    const first = await here.remote.head();
    await here.editHere({ a: "2", b: null, e: "1" });
    const status = await here.runAgain();
    expect(status).toMatchObject({ lastError: null, lastRun: { added: 1, modified: 1, deleted: 1 } });
    expect(await here.filesThere()).toEqual({ a: "2", "c/d": "1", e: "1" });
    expect(await here.remote.git("log", "-1", "--format=%P", "main")).toBe(first);
    expect((await here.runs())[0]).toMatchObject({ receivedBytes: 0, remoteCalls: 3 });
  });

  it("with nothing to do asks for the head and no more", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1" });
    await here.declare();
    const requests = here.server.requests.length;
    await here.runAgain();
    expect(here.server.requests).toHaveLength(requests + 1);
    expect(await here.runs()).toHaveLength(1);
  });

  it("of commits that end where they began moves the sync point without a push", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1" });
    await here.declare();
    const head = await here.remote.head();
    await here.editHere({ a: "2" });
    const local = await here.editHere({ a: "1" });
    const requests = here.server.requests.length;
    expect(await here.runAgain()).toMatchObject({ lastError: null, lastSyncedSha: local, remoteSha: head });
    expect(here.server.requests).toHaveLength(requests + 1);
    expect((await here.runs())[0]).toMatchObject({ status: "skipped", message: "Already up to date.", commitSha: null });
  });

  it("to a remote that is equal already is skipped", async () => {
    await using here = await serveExport(world, engine);
    const theirs = await here.remote.commit({ a: "1", "b/c": "1" });
    await here.editHere({ a: "1", "b/c": "1" });
    expect(await here.declare({ onDivergence: "Fail" })).toMatchObject({ lastError: null, remoteSha: theirs });
    expect(await here.remote.head()).toBe(theirs);
    expect(here.pushes()).toBe(0);
  });

  it("keeps modes, links, submodules and any name exactly", async () => {
    await using here = await serveExport(world, engine);
    await using origin = await serveExport(world, engine);
    await origin.remote.commit({
      run: { mode: "100755", content: "#!/bin/sh\n" },
      "deep/link": { mode: "120000", content: "../run" },
      sub: { mode: "160000", content: "1234567890123456789012345678901234567890" },
      'odd "name"\t\xff': "x",
      "binary.bin": new Uint8Array([0, 255, 1, 254]),
    });
    await world.declare(origin.server.remoteUrl, {}, here.name);
    await engine.drain();
    await world.declarations.withdrawSync({ kind: "resource", ref: `uid-${here.name}` }, "default", here.name);
    expect(await here.declare()).toMatchObject({ lastError: null });
    expect(await here.remote.tree()).toBe(await origin.remote.tree());
    await here.remote.git("fsck", "--strict", "--full");
  });

  it("goes to another branch where one is named, and makes it", async () => {
    await using here = await serveExport(world, engine);
    const theirs = await here.remote.commit({ z: "1" });
    await here.editHere({ a: "1" }, "work");
    expect(await here.declare({ branch: "work", remoteBranch: "mirror" })).toMatchObject({ lastError: null });
    expect(await here.filesThere("mirror")).toEqual({ a: "1" });
    expect(await here.remote.head()).toBe(theirs);
  });

  it("makes the branch again when somebody deleted it", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1", b: "1" });
    await here.declare();
    await here.editHere({ a: "2" });
    await here.remote.deleteBranch("main");
    await here.runAgain();
    expect(await here.filesThere()).toEqual({ a: "2", b: "1" });
  });

  it("of a branch that is not there says so without asking the remote, and runs once it is", async () => {
    await using here = await serveExport(world, engine);
    const status = await here.declare();
    expect(status).toMatchObject({ lastErrorCode: "LocalBranchMissing", nextRunAt: null });
    expect(status.lastError).toContain(`default/${here.name} has no branch main`);
    expect(here.server.requests).toEqual([]);
    await here.editHere({ a: "1" });
    expect(await here.runAgain()).toMatchObject({ lastError: null });
  });

  it("tells a trigger's dry run what it would do, conflicts too, and pushes nothing", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1", b: "1" });
    const { id } = await here.declare();
    await here.editHere({ a: "mine", c: "1" });
    const planned = await world.triggers.run(id, { mode: "Plan" }, deadline());
    expect(planned).toMatchObject({
      status: "skipped",
      plan: { added: 1, modified: 1, deleted: 0, paths: ["a", "c"], conflicts: [] },
    });
    await here.remote.commit({ a: "theirs" });
    const conflicting = await world.triggers.run(id, { mode: "Plan" }, deadline());
    expect(conflicting).toMatchObject({ status: "skipped", plan: { conflicts: ["a"] } });
    expect(here.pushes()).toBe(1);
  });

  it("of a trigger's branch leaves the declared one alone", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1" });
    const { id, lastSyncedSha } = await here.declare();
    const feature = await here.editHere({ f: "1" }, "feature");
    const run = await world.triggers.run(id, { branch: "feature" }, deadline());
    expect(run).toMatchObject({ status: "success", branch: "feature", added: 1 });
    expect(await here.filesThere("feature")).toEqual({ f: "1" });
    expect(feature).not.toBe(lastSyncedSha);
    expect(await world.declarations.readSync(id)).toMatchObject({ lastSyncedSha });
  });
});
