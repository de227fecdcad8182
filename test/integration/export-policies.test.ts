// What an export does when the remote's branch has something of its own, and where it stops.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SyncSpec } from "../../src/domain/sync-spec.ts";
import type { Engine } from "../../src/sync/engine.ts";
import { serveExport } from "../support/served-export.ts";
import { openSyncWorld, type SyncWorld } from "../support/sync-world.ts";

let world: SyncWorld;
let engine: Engine;

beforeAll(async () => {
  world = await openSyncWorld();
  engine = await world.startEngine();
});
afterAll(() => world[Symbol.asyncDispose]());

type Files = Readonly<Record<string, string | null>>;

type Case = {
  readonly when: string;
  readonly policy: SyncSpec["onDivergence"];
  /** Exported first; null: nothing was. */
  readonly before: Files | null;
  readonly there: Files;
  readonly here: Files;
  readonly result: Readonly<Record<string, string>> | { readonly code: string; readonly paths: readonly string[] };
};

const CASES: readonly Case[] = [
  {
    when: "the remote has other changes, Merge keeps them",
    policy: "Merge",
    before: { a: "1", b: "1" },
    there: { theirs: "1" },
    here: { a: "2" },
    result: { a: "2", b: "1", theirs: "1" },
  },
  {
    when: "both changed a path, Merge stops and lists it",
    policy: "Merge",
    before: { a: "1", b: "1" },
    there: { a: "theirs" },
    here: { a: "mine", b: "2" },
    result: { code: "Conflict", paths: ["a"] },
  },
  {
    when: "both made the same change, Merge has the rest to do",
    policy: "Merge",
    before: { a: "1" },
    there: { a: "2" },
    here: { a: "2", b: "1" },
    result: { a: "2", b: "1" },
  },
  {
    when: "the remote has changes, Overwrite makes it equal",
    policy: "Overwrite",
    before: { a: "1", b: "1" },
    there: { a: "theirs", theirs: "1", b: null },
    here: { a: "2" },
    result: { a: "2", b: "1" },
  },
  {
    when: "the remote has changes, Fail stops",
    policy: "Fail",
    before: { a: "1" },
    there: { theirs: "1" },
    here: { a: "2" },
    result: { code: "Diverged", paths: ["theirs"] },
  },
  {
    when: "the remote has files that no sync put there, Merge adds to them",
    policy: "Merge",
    before: null,
    there: { theirs: "1", same: "1" },
    here: { a: "1", same: "1" },
    result: { a: "1", same: "1", theirs: "1" },
  },
  {
    when: "the remote has another file of the same name, Merge stops",
    policy: "Merge",
    before: null,
    there: { a: "theirs" },
    here: { a: "mine" },
    result: { code: "Conflict", paths: ["a"] },
  },
  {
    when: "the remote has files that no sync put there, Overwrite replaces them",
    policy: "Overwrite",
    before: null,
    there: { a: "theirs", theirs: "1" },
    here: { a: "mine" },
    result: { a: "mine" },
  },
  {
    when: "the remote has files that no sync put there, Fail stops",
    policy: "Fail",
    before: null,
    there: { theirs: "1" },
    here: { a: "1" },
    result: { code: "Diverged", paths: ["theirs"] },
  },
];

describe("when", () => {
  it.each(CASES)("$when", async ({ policy, before, there, here: mine, result }) => {
    await using here = await serveExport(world, engine);
    if (before !== null) {
      await here.editHere(before);
      await here.declare({ onDivergence: policy });
    }
    const theirs = await here.remote.commit(there);
    await here.editHere(mine);
    const status = before === null ? await here.declare({ onDivergence: policy }) : await here.runAgain();
    const [run] = await here.runs();
    if ("code" in result && "paths" in result) {
      expect(status).toMatchObject({ lastErrorCode: result.code });
      expect(run).toMatchObject({ status: "error", code: result.code, details: { paths: result.paths }, commitSha: null });
      expect(await here.remote.head()).toBe(theirs);
      return;
    }
    expect(status).toMatchObject({ lastErrorCode: null });
    expect(await here.filesThere()).toEqual(result);
    // One commit on top of theirs: never a force.
    expect(await here.remote.git("log", "-1", "--format=%P", "main")).toBe(theirs);
    await here.remote.git("fsck", "--strict", "--full");
  });
});

describe("after a merge", () => {
  it("the next export needs no fetch, and keeps what is theirs", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1" });
    await here.declare();
    await here.remote.commit({ "theirs/deep": "1" });
    await here.editHere({ a: "2" });
    await here.runAgain();
    await here.editHere({ a: "3" });
    await here.runAgain();
    expect(await here.filesThere()).toEqual({ a: "3", "theirs/deep": "1" });
    expect((await here.runs())[0]).toMatchObject({ status: "success", receivedBytes: 0, modified: 1 });
  });

  it("a remote that moves while nothing is new here is neither fetched nor changed", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1" });
    await here.declare();
    const theirs = await here.remote.commit({ a: "theirs" });
    const requests = here.server.requests.length;
    await here.runAgain();
    expect(here.server.requests).toHaveLength(requests + 1);
    expect(await here.remote.head()).toBe(theirs);
  });
});

describe("what is selected", () => {
  it("limits what is sent, changed and deleted", async () => {
    await using here = await serveExport(world, engine);
    await here.remote.commit({ "docs/b.md": "theirs", "src/x": "theirs" });
    await here.editHere({ "docs/a.md": "1", "docs/b.md": "mine", secret: "1" });
    await here.declare({ include: ["docs/**"], exclude: ["**/b.md"] });
    expect(await here.filesThere()).toEqual({ "docs/a.md": "1", "docs/b.md": "theirs", "src/x": "theirs" });
    const local = await here.editHere({ secret: "2" });
    expect(await here.runAgain()).toMatchObject({ lastSyncedSha: local, lastError: null });
    expect(here.pushes()).toBe(1);
    await here.editHere({ "docs/a.md": null, "docs/c.md": "1" });
    await here.runAgain();
    expect(await here.filesThere()).toEqual({ "docs/b.md": "theirs", "docs/c.md": "1", "src/x": "theirs" });
  });

  it("takes `path` from here and puts it into `remotePath` there", async () => {
    await using here = await serveExport(world, engine);
    await here.remote.commit({ other: "theirs" });
    await here.editHere({ "site/public/index.html": "1", other: "mine" });
    await here.declare({ path: "site/public", remotePath: "www" });
    expect(await here.filesThere()).toEqual({ "www/index.html": "1", other: "theirs" });
  });
});

describe("deletions", () => {
  it("beyond maxDeletions stop the run", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1", b: "1", c: "1" });
    await here.declare({ maxDeletions: { count: 1 } });
    await here.editHere({ a: null, b: null });
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: "TooManyDeletions" });
    expect(Object.keys(await here.filesThere())).toEqual(["a", "b", "c"]);
  });

  it("of everything are refused unless all of it may go", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1", b: "1" });
    await here.declare();
    await here.editHere({ a: null, b: null });
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: "EmptyUpstream" });
    expect(await here.declare({ maxDeletions: { percent: 100 } })).toMatchObject({ lastErrorCode: null });
    expect(await here.filesThere()).toEqual({});
    await here.remote.git("fsck", "--strict", "--full");
  });
});

describe("mode Plan", () => {
  it("reports what it would do and writes nothing", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1", b: "1" });
    expect(await here.declare({ mode: "Plan" })).toMatchObject({
      plan: { added: 2, modified: 0, deleted: 0, paths: ["a", "b"] },
      lastSyncedSha: null,
      lastError: null,
    });
    expect(here.pushes()).toBe(0);
    expect(await here.runs()).toMatchObject([{ status: "skipped", message: "Plan: 2 added, 0 modified, 0 deleted." }]);
  });
});
