// Imports by the engine: from a real git server into the real store.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTrailers } from "../../src/domain/message-template.ts";
import type { Engine } from "../../src/sync/engine.ts";
import { createSourceRepository } from "../support/source-repository.ts";
import { openSyncWorld, type SyncWorld } from "../support/sync-world.ts";
import { serveSource } from "../support/test-remotes.ts";

let world: SyncWorld;
let engine: Engine;
let names = 0;

beforeAll(async () => {
  world = await openSyncWorld();
  engine = await world.startEngine();
});
afterAll(() => world[Symbol.asyncDispose]());

async function start(options: { readonly branch?: string } = {}) {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(await createSourceRepository(options));
  const server = stack.use(await serveSource(source));
  names += 1;
  const owned = stack.move();
  return { source, server, name: `copy-${names}`, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const rowOf = async (id: string) => (await world.database.query("SELECT * FROM syncs WHERE id = $1", [id])).rows[0];
const runsOf = async (syncId: string) => (await world.history.listRuns({ syncId }, { limit: 100 })).runs;

async function makeDue(id: string): Promise<void> {
  await world.database.query("UPDATE syncs SET next_run_at = now() WHERE id = $1", [id]);
}

describe("the first import", () => {
  it("is one commit with exactly the remote's tree, and says where it came from", async () => {
    await using here = await start();
    await here.source.commit({ "README.md": "hello\n", "src/a.ts": "a\n" });
    const remote = await here.source.commit({ "src/b.ts": { mode: "100755", content: "#!/bin/sh\n" } });
    const sync = await world.declare(here.server.remoteUrl, {}, here.name);
    const status = await world.settle(engine, sync);

    const local = await world.head("main", here.name);
    expect(status).toMatchObject({
      lastSyncedSha: remote,
      remoteSha: remote,
      localSha: local,
      localBranch: "main",
      remoteBranch: "main",
      lastError: null,
      failures: 0,
      handledGeneration: 1,
      isRunning: false,
      lastRun: { status: "success", message: "Imported 3 files.", added: 3, modified: 0, deleted: 0 },
    });
    expect(await world.tree("main", here.name)).toBe(await here.source.tree());
    const message = await world.git(["log", "-1", "--format=%B", "main"], here.name);
    expect(readTrailers(message)).toEqual({ sync: sync.id, origin: here.server.remoteUrl, originCommit: remote });
    expect(await world.git(["log", "-1", "--format=%an <%ae>|%P", "main"], here.name)).toBe("Coregit Sync <sync@coregit.dev>|");
    expect(await runsOf(sync.id)).toMatchObject([
      { status: "success", remoteSha: remote, commitSha: local, branch: "main", added: 3, remoteCalls: expect.any(Number) },
    ]);
  });

  it("takes the remote's HEAD branch as the default branch of the repository that it makes", async () => {
    await using here = await start({ branch: "trunk" });
    await here.source.commit({ a: "a" });
    await world.settle(engine, await world.declare(here.server.remoteUrl, {}, here.name));
    expect(await world.repository(here.name)).toMatchObject({ defaultBranch: "trunk" });
    expect(await world.head("trunk", here.name)).not.toBeNull();
    expect(await world.head("main", here.name)).toBeNull();
  });

  it("goes into the declared branch from another one", async () => {
    await using here = await start();
    await here.source.commit({ a: "a" });
    await here.source.commit({ b: "b" }, { branch: "release" });
    const spec = { branch: "upstream", remoteBranch: "release" };
    await world.settle(engine, await world.declare(here.server.remoteUrl, spec, here.name));
    expect(await world.tree("upstream", here.name)).toBe(await here.source.tree("release"));
  });

  it("uses the declared author and message", async () => {
    await using here = await start();
    const remote = await here.source.commit({ a: "a" });
    const spec = {
      commitAuthor: { name: "Ada", email: "ada@example.com" },
      messageTemplate: "Take {{branch}} {{shortSha}} (+{{added}})",
    };
    await world.settle(engine, await world.declare(here.server.remoteUrl, spec, here.name));
    expect(await world.git(["log", "-1", "--format=%an <%ae>|%cn|%s", "main"], here.name)).toBe(
      `Ada <ada@example.com>|Ada|Take main ${remote.slice(0, 7)} (+1)`,
    );
  });

  it("keeps modes, links, submodule links and names of any bytes", async () => {
    await using here = await start();
    const oid = await here.source.commit({ base: "x" });
    await here.source.commit({
      "bin/run": { mode: "100755", content: "#!" },
      link: { mode: "120000", content: "bin/run" },
      module: { mode: "160000", content: oid },
      'caf\xc3\xa9 "quoted"\ttab': "utf-8",
      "latin\xe9/\xff": "bytes",
      "-dash": "dash",
    });
    const status = await world.settle(engine, await world.declare(here.server.remoteUrl, {}, here.name));
    expect(status.lastError).toBeNull();
    expect(await world.tree("main", here.name)).toBe(await here.source.tree());
  });
});

describe("the next import", () => {
  it("is one commit on top of the last, whatever number of commits the remote made", async () => {
    await using here = await start();
    await here.source.commit({ keep: "1", gone: "1", change: "1" });
    const sync = await world.declare(here.server.remoteUrl, {}, here.name);
    await world.settle(engine, sync);
    const first = await world.head("main", here.name);
    await here.source.commit({ change: "2" });
    const remote = await here.source.commit({ gone: null, "new/file": "1" });
    await makeDue(sync.id);
    const status = await world.settle(engine, sync);
    expect(status).toMatchObject({
      lastSyncedSha: remote,
      lastRun: { message: "Imported 2 files, deleted 1.", added: 1, modified: 1, deleted: 1 },
    });
    expect(await world.git(["log", "-1", "--format=%P", "main"], here.name)).toBe(first);
    expect(await world.tree("main", here.name)).toBe(await here.source.tree());
  });

  it("fetches only what is new", async () => {
    await using here = await start();
    const large = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251));
    await here.source.commit({ large, small: "1" });
    const sync = await world.declare(here.server.remoteUrl, {}, here.name);
    await world.settle(engine, sync);
    await here.source.commit({ small: "2" });
    await makeDue(sync.id);
    await world.settle(engine, sync);
    const [second, first] = await runsOf(sync.id);
    expect(second?.receivedBytes).toBeLessThan(1000);
    expect(second?.receivedBytes).toBeLessThan((first?.receivedBytes ?? 0) / 2);
  });

  it("of an unchanged remote asks once and writes nothing but the schedule", async () => {
    await using here = await start();
    await here.source.commit({ a: "a" });
    const sync = await world.declare(here.server.remoteUrl, { intervalMs: 3_600_000 }, here.name);
    await world.settle(engine, sync);
    const before = await rowOf(sync.id);
    const requests = here.server.requests.length;
    await makeDue(sync.id);
    await world.settle(engine, sync);
    expect(here.server.requests).toHaveLength(requests + 1);
    const { next_run_at: next, lease_epoch: epoch, updated_at: updated, ...rest } = (await rowOf(sync.id)) ?? {};
    const { next_run_at: _n, lease_epoch: _e, updated_at: _u, ...same } = before ?? {};
    expect(rest).toEqual(same);
    expect({ next, epoch, updated }).not.toEqual({ next: _n, epoch: _e, updated: _u });
    expect(await runsOf(sync.id)).toHaveLength(1);
  });

  it("follows an upstream that was force-pushed, without rewriting history here", async () => {
    await using here = await start();
    const root = await here.source.commit({ a: "1" });
    await here.source.commit({ a: "2", b: "2" });
    const sync = await world.declare(here.server.remoteUrl, {}, here.name);
    await world.settle(engine, sync);
    await here.source.branch("main", root);
    await here.source.commit({ c: "3" });
    await makeDue(sync.id);
    await world.settle(engine, sync);
    expect(await world.tree("main", here.name)).toBe(await here.source.tree());
    expect(await world.git(["rev-list", "--count", "main"], here.name)).toBe("2");
  });

  it("of a commit with the same tree moves the sync point and makes no commit", async () => {
    await using here = await start();
    await here.source.commit({ a: "1" });
    const sync = await world.declare(here.server.remoteUrl, {}, here.name);
    await world.settle(engine, sync);
    const local = await world.head("main", here.name);
    const remote = await here.source.commit({});
    await makeDue(sync.id);
    expect(await world.settle(engine, sync)).toMatchObject({ lastSyncedSha: remote, lastRun: { status: "success" } });
    expect(await world.head("main", here.name)).toBe(local);
    expect(await runsOf(sync.id)).toMatchObject([
      { status: "skipped", commitSha: null, remoteSha: remote },
      { status: "success" },
    ]);
  });

  it("replaces files by folders and folders by files", async () => {
    await using here = await start();
    await here.source.commit({ a: "file", "b/c": "in folder" });
    const sync = await world.declare(here.server.remoteUrl, {}, here.name);
    await world.settle(engine, sync);
    await here.source.commit({ a: null, "b/c": null });
    await here.source.commit({ "a/x": "now a folder", b: "now a file" });
    await makeDue(sync.id);
    await world.settle(engine, sync);
    expect(await world.tree("main", here.name)).toBe(await here.source.tree());
  });
});
