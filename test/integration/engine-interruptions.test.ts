// What comes between the steps of a run: other writers, changed declarations, a worker that stops, a database that goes away.
import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CoregitError } from "../../src/domain/errors.ts";
import type { RepositoryStore } from "../../src/repositories/store.ts";
import type { Fault } from "../support/git-http-faults.ts";
import { type ServedSync, serveSync } from "../support/served-sync.ts";
import { openSyncWorld, type SyncWorld } from "../support/sync-world.ts";
import { deadline } from "../support/test-remotes.ts";

let world: SyncWorld;

beforeEach(async () => {
  world = await openSyncWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

/** The world's store with something in front of or behind each publish. */
function publishing(publish: RepositoryStore["publish"]): RepositoryStore {
  return new Proxy(world.store, {
    get(store, key) {
      if (key === "publish") return publish;
      const value: unknown = Reflect.get(store, key);
      return typeof value === "function" ? value.bind(store) : value;
    },
  });
}

const STALL: Fault = { kind: "stall", afterBytes: 100 };

/** Makes the next fetch of a pack stall, and resolves once it does. */
async function stallFetch(here: ServedSync, start: "now" | "when asked" = "now"): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const seen = here.server.requests.length;
  here.server.fault = (request) => {
    const isFetch = request.method === "POST" && here.server.requests.length > seen + 1;
    if (isFetch) resolve();
    return isFetch ? STALL : null;
  };
  if (start === "now") {
    await world.database.query("UPDATE syncs SET next_run_at = now()");
    await world.database.query("SELECT pg_notify('coregit_sync_due', id) FROM syncs");
  }
  await promise;
}

async function importedOnce(options: Parameters<SyncWorld["startEngine"]>[0] = {}) {
  const engine = await world.startEngine(options);
  const here = await serveSync(world, engine);
  await here.source.commit({ a: "1", b: "x".repeat(50_000) });
  const sync = await here.declare();
  return { engine, here, sync };
}

describe("while a run is under way", () => {
  it("the whole cache may be deleted, and the run ends as if it had not been", async () => {
    const { here } = await importedOnce();
    await using _here = here;
    await here.source.commit({ a: "2", c: "y".repeat(50_000) });
    let deletions = 0;
    const seen = here.server.requests.length;
    here.server.fault = (request) => {
      const isFetch = request.method === "POST" && here.server.requests.length > seen + 1;
      if (!isFetch || deletions > 0) return null;
      deletions += 1;
      rmSync(world.cacheDir, { recursive: true, force: true });
      return null;
    };
    const sync = await here.runAgain();
    expect(deletions).toBe(1);
    expect(sync).toMatchObject({ lastError: null, lastSyncedSha: await here.source.head() });
    expect(await world.tree("main", here.name)).toBe(await here.source.tree());
    expect((await here.runs()).map(({ status }) => status)).toEqual(["success", "success"]);
  });

  it("a commit on the local branch between plan and publish is kept, and nothing is fetched again", async () => {
    let editsLeft = 0;
    const { here } = await importedOnce({
      store: publishing(async (publication, also) => {
        if (editsLeft-- > 0) await here.editHere({ [`mine-${editsLeft}`]: "mine" });
        return world.store.publish(publication, also);
      }),
    });
    await using _here = here;
    await here.source.commit({ a: "2" });
    const requests = here.server.requests.length;
    editsLeft = 2;
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: null, lastSyncedSha: await here.source.head() });
    expect(await here.files()).toMatchObject({ a: "2", "mine-0": "mine", "mine-1": "mine" });
    expect(here.server.requests.length - requests).toBe(2);
    expect(await here.runs()).toHaveLength(2);
  });

  it("suspending the sync ends it, and nothing is published", async () => {
    const { engine, here, sync } = await importedOnce();
    await using _here = here;
    const before = await world.head("main", here.name);
    await here.source.commit({ a: "2".repeat(50_000) });
    await stallFetch(here);
    await world.declare(here.server.remoteUrl, { suspend: true }, here.name);
    await engine.drain();
    expect(await world.head("main", here.name)).toBe(before);
    expect((await here.runs())[0]).toMatchObject({
      status: "error",
      code: "Interrupted",
      message: "The sync was suspended during the run.",
    });
    expect(await world.declarations.readSync(sync.id)).toMatchObject({ lastError: null, nextRunAt: null, isRunning: false });
  });

  it("a changed declaration ends it, and the new one runs", async () => {
    const { engine, here, sync } = await importedOnce();
    await using _here = here;
    await here.source.commit({ a: "2".repeat(50_000) });
    await stallFetch(here);
    here.server.fault = null;
    await world.declare(here.server.remoteUrl, { onDivergence: "Overwrite" }, here.name);
    expect(await world.settle(engine, sync)).toMatchObject({
      generation: 2,
      handledGeneration: 2,
      lastSyncedSha: await here.source.head(),
    });
    expect(await here.runs()).toMatchObject([{ status: "success" }, { code: "Interrupted" }, { status: "success" }]);
  });

  it("removing the sync ends it", async () => {
    const { engine, here, sync } = await importedOnce();
    await using _here = here;
    const before = await world.head("main", here.name);
    await here.source.commit({ a: "2".repeat(50_000) });
    await stallFetch(here);
    await world.declarations.withdrawSync(sync.owner, "default", here.name);
    await engine.drain();
    expect(await world.head("main", here.name)).toBe(before);
    expect((await here.runs())[0]).toMatchObject({ code: "Interrupted", message: "The sync was removed during the run." });
  });

  it("another worker that took the sync over is the only one to write", async () => {
    const { engine, here } = await importedOnce();
    await using _here = here;
    await here.source.commit({ a: "2" });
    // As after a pause of this process that outlasted the lease.
    await stallFetch(here);
    here.server.fault = null;
    await world.database.query("UPDATE syncs SET lease_until = now() - interval '1 second'");
    const other = await world.startEngine();
    await expect.poll(async () => (await here.runs())[0]?.status, { timeout: 15_000 }).toBe("success");
    await Promise.all([engine.drain(), other.drain()]);
    expect(await world.git(["rev-list", "--count", "main"], here.name)).toBe("2");
    expect(await here.runs()).toMatchObject([{ status: "success" }, { code: "Interrupted" }, { status: "success" }]);
  });
});

describe("when a worker is stopped", () => {
  it("its run is closed after the grace and taken up by the next worker", async () => {
    const { engine, here, sync } = await importedOnce({ graceMs: 10 });
    await using _here = here;
    await here.source.commit({ a: "2".repeat(50_000) });
    await stallFetch(here);
    const waiting = world.triggers.run(sync.id, {}, deadline());
    await engine[Symbol.asyncDispose]();
    expect((await here.runs())[0]).toMatchObject({
      code: "Interrupted",
      message: "The worker was stopped during the run; it is run again.",
    });
    here.server.fault = null;
    const next = await world.startEngine();
    expect(await world.settle(next, sync)).toMatchObject({ lastSyncedSha: await here.source.head(), lastError: null });
    expect(["success", "skipped"]).toContain((await waiting).status);
  });

  it("a trigger that its run was to answer is answered by the next run", async () => {
    const { engine, here, sync } = await importedOnce({ graceMs: 10 });
    await using _here = here;
    await here.source.commit({ a: "2".repeat(50_000) });
    const fetching = stallFetch(here, "when asked");
    const waiting = world.triggers.run(sync.id, {}, deadline());
    await fetching;
    await engine[Symbol.asyncDispose]();
    here.server.fault = null;
    await world.startEngine();
    expect(await waiting).toMatchObject({ status: "success", remoteSha: await here.source.head() });
  });
});

describe("when the database", () => {
  it("answers a commit with silence, the run that it recorded is not recorded as failed", async () => {
    const { here } = await importedOnce({
      store: publishing(async (publication, also) => {
        await world.store.publish(publication, also);
        throw new CoregitError("DatabaseUnavailable", "The answer to COMMIT was lost.");
      }),
    });
    await using _here = here;
    expect(await here.runs()).toMatchObject([{ status: "success" }]);
    await here.source.commit({ a: "2" });
    expect(await here.runAgain()).toMatchObject({ lastError: null, failures: 0, lastSyncedSha: await here.source.head() });
    expect(await world.git(["rev-list", "--count", "main"], here.name)).toBe("2");
  });

  it("breaks all connections in the middle of a publish, the run is made again and imports once", async () => {
    let breaks = 0;
    const { engine, here, sync } = await importedOnce({
      store: publishing((publication, also) =>
        world.store.publish(publication, async (tx) => {
          await also?.(tx);
          if (breaks-- > 0) {
            await world.database.query(
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
            );
          }
        }),
      ),
    });
    await using _here = here;
    await here.source.commit({ a: "2" });
    breaks = 1;
    await here.runAgain();
    await expect.poll(async () => (await world.settle(engine, sync)).lastError, { timeout: 20_000 }).toBeNull();
    expect(await world.tree("main", here.name)).toBe(await here.source.tree());
    expect(await world.git(["rev-list", "--count", "main"], here.name)).toBe("2");
  });
});
