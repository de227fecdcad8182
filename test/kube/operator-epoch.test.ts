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

  test("lets nobody but the leader delete a repository", async () => {
    const old = await lead("old");
    const owner = { kind: "resource", ref: "uid-doomed" } as const;
    const repository = { owner, namespace: "team", slug: "doomed", description: "", visibility: "private" } as const;
    const rules = { defaultBranch: "main", protectedBranches: [], deletionPolicy: "Delete" } as const;
    const { id } = await old.declarations.declareRepository({ ...repository, ...rules });
    await world.database.query("INSERT INTO blobs (key, size) VALUES ($1, 0)", [`${id}/pack_1.pack`]);
    const next = await lead("next");
    await expect(old.declarations.withdrawRepository(owner, "team", "doomed")).rejects.toMatchObject({ code: "StaleLease" });
    expect(await world.store.get(id)).not.toBeNull();
    const readBlobs = async () => (await world.database.query("SELECT 1 FROM blobs WHERE starts_with(key, $1)", [id])).rowCount;
    expect(await readBlobs()).toBe(1);
    await next.declarations.withdrawRepository(owner, "team", "doomed");
    expect(await world.store.get(id)).toBeNull();
    expect(await readBlobs()).toBe(0);
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
