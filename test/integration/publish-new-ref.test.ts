import { afterAll, beforeAll, expect, test } from "vitest";
import { CHANNELS } from "../../src/db/database.ts";
import { type NewRefPublication, publishNewRef } from "../../src/db/publish-new-ref.ts";
import { newRowId } from "../../src/db/row-id.ts";
import { objectId } from "../../src/domain/object-codec.ts";
import type { Oid } from "../../src/domain/oid.ts";
import { countWaiting } from "../support/count-waiting.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { addRepository } from "../support/git-store.ts";
import { until } from "../support/until.ts";

const oidOf = (text: string): Oid => objectId("blob", Buffer.from(text));

let db: TestDatabase;
let count = 0;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(async () => {
  await db[Symbol.asyncDispose]();
});

/** An own repository with these refs; its id. */
async function repositoryWith(...refs: readonly string[]): Promise<string> {
  count += 1;
  const { id } = await addRepository(db.database, `new-ref-${count}`);
  for (const ref of refs) {
    await db.database.query("INSERT INTO refs (repository_id, name, oid) VALUES ($1, $2, $3)", [id, ref, oidOf(ref)]);
  }
  return id;
}

function publication(repositoryId: string, name: string): NewRefPublication {
  const [pack, idx] = [Buffer.from(`pack for ${name}`), Buffer.from(`idx for ${name}`)];
  return {
    repositoryId,
    pack: {
      id: newRowId("pack"),
      name: oidOf(`pack for ${name}`),
      source: "push",
      objectCount: 1,
      packSize: pack.length,
      idxSize: idx.length,
      packSha256: Buffer.alloc(32, 1),
      idxSha256: Buffer.alloc(32, 2),
      inline: { pack, idx },
    },
    ref: { name, oid: oidOf(`new ${name}`) },
    actor: "master",
    reason: "push",
    traceparent: null,
  };
}

/** Everything that a publish writes but the version. */
async function stateOf(repositoryId: string) {
  const read = async (sql: string) => (await db.database.query(sql, [repositoryId])).rows;
  return {
    refs: await read("SELECT name, oid FROM refs WHERE repository_id = $1 ORDER BY name"),
    packs: await read("SELECT id, name, source, object_count, pack_bytes, idx_bytes FROM packs WHERE repository_id = $1"),
    log: await read("SELECT ref, old_oid, new_oid, actor, reason FROM reflog WHERE repository_id = $1 ORDER BY id"),
  };
}

async function versionOf(repositoryId: string): Promise<number> {
  const { rows } = await db.database.query<{ version: string }>("SELECT version FROM repositories WHERE id = $1", [repositoryId]);
  return Number(rows[0]?.version);
}

test("a pack and its new ref are written together, logged, counted and announced", async () => {
  const id = await repositoryWith("refs/heads/other");
  const announced = new Set<string>();
  await using _listening = await db.database.listen(CHANNELS.refMoved, {
    onMessage: (repositoryId) => announced.add(repositoryId),
    onGap: () => undefined,
  });
  const before = await versionOf(id);
  const { pack, ...asked } = publication(id, "refs/heads/main");
  expect(await publishNewRef(db.database, { ...asked, pack })).toBe(true);
  const { name, oid } = asked.ref;
  const { inline, objectCount, source } = pack;
  expect(await stateOf(id)).toEqual({
    refs: [
      { name, oid },
      { name: "refs/heads/other", oid: oidOf("refs/heads/other") },
    ],
    packs: [
      { id: pack.id, name: pack.name, source, object_count: objectCount, pack_bytes: inline?.pack, idx_bytes: inline?.idx },
    ],
    log: [{ ref: name, old_oid: null, new_oid: oid, actor: "master", reason: "push" }],
  });
  expect(await versionOf(id)).toBe(before + 1);
  await until("the repository is announced", () => announced.has(id));
});

test.each([
  ["the ref itself", "refs/heads/main", "refs/heads/main"],
  ["a ref that would be a folder of it", "refs/heads/a", "refs/heads/a/b"],
  ["a ref that it would be a folder of", "refs/heads/a/b", "refs/heads/a"],
  ["a ref that differs in case", "refs/heads/Main", "refs/heads/main"],
])("nothing is written beside %s", async (_what, present, wanted) => {
  const id = await repositoryWith(present);
  const before = await stateOf(id);
  expect(await publishNewRef(db.database, publication(id, wanted))).toBe(false);
  expect(await stateOf(id)).toEqual(before);
});

test("nothing is written to a repository that is not there", async () => {
  expect(await publishNewRef(db.database, publication("repo_gone", "refs/heads/main"))).toBe(false);
});

test("a ref that was made while the repository was waited for is seen", async () => {
  const id = await repositoryWith();
  const other = "refs/heads/a";
  let waiting: Promise<boolean> = Promise.resolve(true);
  await db.database.transaction(async (tx) => {
    await tx.query("UPDATE repositories SET version = version + 1 WHERE id = $1", [id]);
    await tx.query("INSERT INTO refs (repository_id, name, oid) VALUES ($1, $2, $3)", [id, other, oidOf(other)]);
    waiting = publishNewRef(db.database, publication(id, `${other}/b`));
    await until("the statement waits", async () => (await countWaiting(db.database)) === 1);
  });
  expect(await waiting).toBe(false);
  expect((await stateOf(id)).refs).toEqual([{ name: other, oid: oidOf(other) }]);
});

test("of refs that cannot be kept beside each other, asked for at once, one is made", async () => {
  const names = ["refs/heads/a", "refs/heads/a/b", "refs/heads/a/b/c", "refs/heads/a/b/c/d"];
  for (let round = 0; round < 10; round += 1) {
    const id = await repositoryWith();
    await Promise.all(names.map((name) => publishNewRef(db.database, publication(id, name))));
    const { refs, packs, log } = await stateOf(id);
    expect([refs.length, packs.length, log.length]).toEqual([1, 1, 1]);
  }
});
