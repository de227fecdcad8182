// Remotes that are wrong, gone or hostile: the right code, nothing published, nothing left behind.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../src/sync/engine.ts";
import { declareSync } from "../support/declare-sync.ts";
import { runningGit } from "../support/running-git.ts";
import { serveSync } from "../support/served-sync.ts";
import { openSyncWorld, type SyncWorld } from "../support/sync-world.ts";

let world: SyncWorld;
let engine: Engine;

beforeAll(async () => {
  world = await openSyncWorld();
  engine = await world.startEngine();
});
afterAll(() => world[Symbol.asyncDispose]());
afterEach(async () => {
  expect(await leftovers(), "folders of unfinished work").toEqual([]);
  expect(await runningGit(process.pid), "git processes").toEqual([]);
});

/** What lies in the quarantine folders of this process. */
async function leftovers(): Promise<string[]> {
  const parent = join(world.cacheDir, "quarantine");
  const owners = await readdir(parent);
  return (await Promise.all(owners.map((owner) => readdir(join(parent, owner))))).flat();
}

describe("a branch", () => {
  it("that is missing is named, and imported once it is there", async () => {
    await using here = await serveSync(world, engine);
    const oid = await here.source.commit({ a: "1" });
    expect(await here.declare({ branch: "next" })).toMatchObject({
      lastErrorCode: "BranchMissing",
      lastError: "The remote has no branch next.",
      failures: 1,
    });
    await here.source.branch("next", oid);
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: null, failures: 0, lastSyncedSha: oid });
  });

  it("that was renamed upstream is missing, and what was imported stays", async () => {
    await using here = await serveSync(world, engine);
    const oid = await here.source.commit({ a: "1" });
    await here.declare();
    const local = await world.head("main", here.name);
    await here.source.branch("trunk", oid);
    await here.source.deleteBranch("main");
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: "BranchMissing" });
    expect(await world.head("main", here.name)).toBe(local);
  });

  it("with a name that git refuses never reaches the remote", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    expect(await here.declare({ branch: "a..b" })).toMatchObject({ lastErrorCode: "RefNameRefused" });
    expect(here.server.requests).toEqual([]);
  });
});

describe("a remote", () => {
  it("that is empty has no branch yet, and one that was emptied empties nothing", async () => {
    await using here = await serveSync(world, engine);
    expect(await here.declare()).toMatchObject({ lastErrorCode: "BranchMissing" });
    await here.source.commit({ a: "1" });
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: null });
    await here.source.deleteBranch("main");
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: "EmptyUpstream" });
    expect(await here.files()).toEqual({ a: "1" });
  });

  it("that fails the same way again and again makes one row of history", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    here.server.fault = () => ({ kind: "status", status: 503 });
    const first = await here.declare();
    await here.runAgain();
    const third = await here.runAgain();
    expect(third).toMatchObject({ failures: 3, lastError: first.lastError });
    expect(await here.runs()).toMatchObject([{ status: "error", attempts: 3 }]);
    here.server.fault = null;
    expect(await here.runAgain()).toMatchObject({ lastError: null, lastErrorCode: null, failures: 0 });
    expect(await here.runs()).toMatchObject([{ status: "success" }, { attempts: 3 }]);
  });

  it("that backs off is asked later each time, and at its interval once it answers", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    here.server.fault = () => ({ kind: "reset" });
    const delayOf = ({ nextRunAt }: { readonly nextRunAt: string | null }) => Date.parse(nextRunAt ?? "") - Date.now();
    const first = delayOf(await here.declare({ intervalMs: 3_600_000 }));
    for (let failures = 2; failures < 6; failures += 1) await here.runAgain();
    const sixth = delayOf(await here.runAgain());
    expect(first).toBeLessThan(3000);
    expect(sixth).toBeGreaterThan(15_000);
    here.server.fault = null;
    expect(delayOf(await here.runAgain())).toBeGreaterThan(3_000_000);
  });

  it.each([
    ["breaks off in the middle of a pack", { kind: "break", afterBytes: 400 }],
    ["ends a pack early", { kind: "truncate", afterBytes: 400 }],
  ] as const)("that %s publishes nothing", async (_what, fault) => {
    await using here = await serveSync(world, engine);
    await here.source.commit(Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${index}`, `${index * 7919}`])));
    here.server.fault = ({ method, sentBytes: _sent }) => (method === "POST" && here.server.requests.length > 2 ? fault : null);
    const status = await here.declare();
    expect(["PackInvalid", "RemoteProtocol", "RemoteUnreachable"]).toContain(status.lastErrorCode);
    expect(await world.head("main", here.name)).toBeNull();
    here.server.fault = null;
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: null });
  });

  it("that stalls costs its run the timeout, and everything of the run ends", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "x".repeat(100_000) });
    here.server.fault = ({ method }) =>
      method === "POST" && here.server.requests.length > 2 ? { kind: "stall", afterBytes: 100 } : null;
    const startedMs = performance.now();
    const status = await here.declare({ timeoutMs: 1500 });
    expect(status).toMatchObject({ lastErrorCode: "Timeout", lastError: "The run took longer than its timeout of 1s500ms." });
    expect(performance.now() - startedMs).toBeLessThan(15_000);
    expect(await world.head("main", here.name)).toBeNull();
  });

  it("that no longer knows the last imported commit is fetched whole", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1", b: "1" });
    await here.declare();
    // Another history: the old commit is gone from the remote.
    await here.source.deleteBranch("main");
    await here.source.git("reflog", "expire", "--expire=now", "--all");
    await here.source.git("gc", "--quiet", "--prune=now");
    await here.source.commit({ a: "2", c: "1" });
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: null });
    expect(await world.tree("main", here.name)).toBe(await here.source.tree());
  });
});

describe("a declaration that cannot work", () => {
  it("names the connection that is missing, and runs when it is declared", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    const owner = { kind: "resource", ref: "uid-late" } as const;
    const named = { owner, namespace: "default", name: here.name, repository: here.name, connection: "late" };
    const { QUIET_SPEC } = await import("../support/quiet-spec.ts");
    const sync = await declareSync(world.declarations, { ...named, spec: { ...QUIET_SPEC, remote: here.server.remoteUrl } });
    expect(await world.settle(engine, sync)).toMatchObject({ lastErrorCode: "ConnectionMissing", nextRunAt: null });
    await world.declarations.declareConnection({
      owner,
      namespace: "default",
      name: "late",
      label: "",
      provider: "git",
      baseUrl: null,
      caPem: null,
      credential: { kind: "token", token: "t" },
      error: null,
    });
    expect(await world.settle(engine, sync)).toMatchObject({ lastErrorCode: null, lastSyncedSha: await here.source.head() });
  });

  it("is told when it exports a branch that is not there", async () => {
    await using here = await serveSync(world, engine);
    await here.source.commit({ a: "1" });
    expect(await here.declare({ direction: "export" })).toMatchObject({ lastErrorCode: "LocalBranchMissing", nextRunAt: null });
    expect(here.server.requests).toEqual([]);
  });
});
