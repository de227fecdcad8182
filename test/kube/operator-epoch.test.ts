// The fence: whoever led before writes nothing any more, however late it wakes up.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fencedDatabase, takeEpoch } from "../../src/db/operator-epoch.ts";
import { openDeclarations } from "../../src/sync/open-declarations.ts";
import { QUIET_SPEC, TEST_KEYS } from "../support/quiet-spec.ts";
import { openSyncWorld, type SyncWorld } from "../support/sync-world.ts";

let world: SyncWorld;

beforeAll(async () => {
  world = await openSyncWorld();
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

async function lead(holder: string) {
  const epoch = await takeEpoch(world.database, holder);
  const database = fencedDatabase(world.database, epoch);
  return { epoch, database, declarations: openDeclarations({ database, store: world.store, keys: TEST_KEYS }) };
}

const declaration = (name: string) => ({
  owner: { kind: "resource", ref: `uid-${name}` } as const,
  namespace: "team",
  name,
  repository: name,
  connection: null,
  spec: QUIET_SPEC,
});

describe("the operator's epoch", () => {
  test("moves with each leader", async () => {
    const first = await lead("a");
    expect((await lead("b")).epoch).toBe(first.epoch + 1);
  });

  test("lets the leader write and refuses its predecessor, in transactions and in single statements", async () => {
    const old = await lead("old");
    await old.declarations.declareSync(declaration("before"));
    const next = await lead("next");
    await expect(old.declarations.declareSync(declaration("late"))).rejects.toMatchObject({ code: "StaleLease" });
    await expect(old.declarations.withdrawSync(declaration("before").owner, "team", "before")).rejects.toMatchObject({
      code: "StaleLease",
    });
    await expect(old.database.query("DELETE FROM syncs")).rejects.toMatchObject({ code: "StaleLease" });
    expect((await next.declarations.listSyncs()).map(({ name }) => name)).toEqual(["before"]);
    await next.declarations.declareSync(declaration("after"));
    expect((await next.declarations.listSyncs()).map(({ name }) => name)).toEqual(["after", "before"]);
  });

  test("a new leader begins only when the writes of the old one have ended", async () => {
    const old = await lead("old");
    const entered = Promise.withResolvers<void>();
    const mayEnd = Promise.withResolvers<void>();
    const order: string[] = [];
    const writing = old.database.transaction(async () => {
      entered.resolve();
      await mayEnd.promise;
      order.push("the old write ended");
    });
    await entered.promise;
    const taking = takeEpoch(world.database, "next").then(() => order.push("the next leads"));
    await world.database.query("SELECT 1");
    mayEnd.resolve();
    await Promise.all([writing, taking]);
    expect(order).toEqual(["the old write ended", "the next leads"]);
  });
});
