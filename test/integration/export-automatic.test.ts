// Exports that follow their branch by themselves, and what an import and an export of one pair of branches make of each other.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SyncStatus } from "../../src/domain/declaration.ts";
import type { Engine } from "../../src/sync/engine.ts";
import { declareSync } from "../support/declare-sync.ts";
import { type ServedExport, serveExport } from "../support/served-export.ts";
import { openSyncWorld, type SyncWorld } from "../support/sync-world.ts";

let world: SyncWorld;
let engine: Engine;

beforeAll(async () => {
  world = await openSyncWorld();
  engine = await world.startEngine();
});
afterAll(() => world[Symbol.asyncDispose]());

const headThere = (here: ServedExport) => here.remote.git("log", "-1", "--format=%B", "main").catch(() => "");

/** Waits until the remote's head comes from this commit of ours. */
async function untilExported(here: ServedExport, local: string): Promise<void> {
  await expect.poll(() => headThere(here), { timeout: 20_000 }).toContain(`Coregit-Origin-Commit: ${local}`);
  await engine.drain();
}

describe("an automatic export", () => {
  it("follows every change of the branch", async () => {
    await using here = await serveExport(world, engine);
    await here.declare({ autoSync: true });
    await untilExported(here, await here.editHere({ a: "1" }));
    await untilExported(here, await here.editHere({ a: "2" }));
    expect(await here.filesThere()).toEqual({ a: "2" });
  });

  it("makes one run of many changes", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "0" });
    await here.declare({ autoSync: true });
    let local = "";
    for (let change = 1; change <= 12; change += 1) local = await here.editHere({ a: `${change}` });
    await untilExported(here, local);
    expect(here.pushes()).toBeLessThan(12);
  });

  it("does not run for another branch, nor when it is not automatic", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1" });
    const automatic = await here.declare({ autoSync: true });
    await here.editHere({ b: "1" }, "other");
    await using manual = await serveExport(world, engine);
    await manual.editHere({ a: "1" });
    const still = await manual.declare();
    await manual.editHere({ a: "2" });
    // Whatever those changes caused has been caused when a later one has been exported.
    await using later = await serveExport(world, engine);
    await later.declare({ autoSync: true });
    await untilExported(later, await later.editHere({ a: "1" }));
    expect(await world.declarations.readSync(automatic.id)).toMatchObject({ lastRun: automatic.lastRun, nextRunAt: null });
    expect(await world.declarations.readSync(still.id)).toMatchObject({ lastRun: still.lastRun, nextRunAt: null });
    expect(here.pushes() + manual.pushes()).toBe(2);
  });

  it("finds what changed while no worker listened", async () => {
    await using idle = await openSyncWorld();
    const first = await idle.startEngine();
    await using here = await serveExport(idle, first);
    await here.editHere({ a: "1" });
    await here.declare({ autoSync: true });
    await first[Symbol.asyncDispose]();
    const local = await here.editHere({ a: "2" });
    const second = await idle.startEngine();
    await expect.poll(() => headThere(here), { timeout: 20_000 }).toContain(`Coregit-Origin-Commit: ${local}`);
    await second.drain();
  });
});

describe("an import and an export of one pair of branches", () => {
  const runAll = async (syncs: readonly SyncStatus[]): Promise<void> => {
    await world.database.query("UPDATE syncs SET next_run_at = now() WHERE id = ANY($1)", [syncs.map(({ id }) => id)]);
    await engine.drain();
  };

  it("settle after one run each, whichever side moved", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1" });
    const exported = await here.declare({ branch: "main" });
    const imported = await declareSync(world.declarations, {
      owner: { kind: "resource", ref: "uid-back" },
      namespace: "default",
      name: `${here.name}-back`,
      repository: here.name,
      connection: null,
      spec: { ...exported.spec, direction: "import" },
    });
    const pair = [exported, imported];
    await engine.drain();
    const settled = async () => ({ there: await here.remote.head(), here: await world.head("main", here.name) });

    await here.remote.commit({ theirs: "1" });
    await runAll(pair);
    await runAll(pair);
    const afterTheirs = await settled();
    expect(await here.remote.tree()).toBe(await world.tree("main", here.name));
    await runAll(pair);
    expect(await settled()).toEqual(afterTheirs);
    expect(await here.remote.git("rev-list", "--count", "main")).toBe("2");

    await here.editHere({ mine: "1" });
    await runAll(pair);
    await runAll(pair);
    const afterMine = await settled();
    expect(await here.remote.tree()).toBe(await world.tree("main", here.name));
    await runAll(pair);
    expect(await settled()).toEqual(afterMine);
    expect(await here.remote.git("rev-list", "--count", "main")).toBe("3");
    expect(await here.filesThere()).toEqual({ a: "1", mine: "1", theirs: "1" });
  });
});
