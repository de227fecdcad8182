import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHANNELS } from "../../src/db/database.ts";
import { type PackPublication, publishPack } from "../../src/db/publish-pack.ts";
import { advanceVersion, keepRepository } from "../../src/db/repositories.ts";
import { newRowId } from "../../src/db/row-id.ts";
import { objectId } from "../../src/domain/object-codec.ts";
import type { Oid } from "../../src/domain/oid.ts";
import { PackPublisher } from "../../src/repositories/pack-publisher.ts";
import { countWaiting } from "../support/count-waiting.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { addRepository } from "../support/git-store.ts";
import { until } from "../support/until.ts";

const MAIN = "refs/heads/main";
const oidOf = (text: string): Oid => objectId("blob", Buffer.from(text));
const FIRST = oidOf("first");

let db: TestDatabase;
let count = 0;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(async () => {
  await db[Symbol.asyncDispose]();
});

/** An own repository whose refs stand at FIRST; its id. */
async function repositoryWith(...refs: readonly string[]): Promise<string> {
  count += 1;
  const { id } = await addRepository(db.database, `publisher-${count}`);
  for (const ref of refs) {
    await db.database.query("INSERT INTO refs (repository_id, name, oid) VALUES ($1, $2, $3)", [id, ref, FIRST]);
  }
  return id;
}

function publication(
  repositoryId: string,
  next: Oid,
  { ref = MAIN, expected = FIRST, name = next as string } = {},
): PackPublication {
  const [pack, idx] = [Buffer.from(`pack of ${next}`), Buffer.from(`idx of ${next}`)];
  return {
    repositoryId,
    pack: {
      id: newRowId("pack"),
      name,
      source: "commit",
      objectCount: 1,
      packSize: pack.length,
      idxSize: idx.length,
      packSha256: Buffer.alloc(32, 1),
      idxSha256: Buffer.alloc(32, 2),
      inline: { pack, idx },
    },
    move: { name: ref, expected, next },
    actor: "master",
    reason: `to ${next}`,
    traceparent: null,
  };
}

/** Everything that a publish writes. */
async function stateOf(repositoryId: string) {
  const { database } = db;
  const read = async (sql: string) => (await database.query(sql, [repositoryId])).rows;
  return {
    refs: await read("SELECT name, oid FROM refs WHERE repository_id = $1 ORDER BY name"),
    packs: await read("SELECT id, name, pack_bytes, idx_bytes FROM packs WHERE repository_id = $1 ORDER BY id"),
    log: await read("SELECT ref, old_oid, new_oid, actor, reason FROM reflog WHERE repository_id = $1 ORDER BY id"),
  };
}

function writtenBy({ pack, move, actor, reason }: PackPublication) {
  return {
    refs: [{ name: move.name, oid: move.next }],
    packs: [{ id: pack.id, name: pack.name, pack_bytes: pack.inline?.pack, idx_bytes: pack.inline?.idx }],
    log: [{ ref: move.name, old_oid: move.expected, new_oid: move.next, actor, reason }],
  };
}

const NOTHING = { refs: [{ name: MAIN, oid: FIRST }], packs: [], log: [] };

describe("publications that are asked for at once", () => {
  test("are all written, more of them than go together included, and each repository is announced", async () => {
    const ids = await Promise.all(Array.from({ length: 40 }, () => repositoryWith(MAIN)));
    const announced = new Set<string>();
    await using _listening = await db.database.listen(CHANNELS.refMoved, {
      onMessage: (id) => announced.add(id),
      onGap: () => undefined,
    });
    const publisher = new PackPublisher(db.database);
    const all = ids.map((id, index) => publication(id, oidOf(`all ${index}`)));
    const outcomes = await Promise.all(all.map((one) => publisher.publish(one)));
    expect(outcomes).toEqual(ids.map(() => true));
    for (const one of all) expect(await stateOf(one.repositoryId)).toEqual(writtenBy(one));
    await until("each repository is announced", () => ids.every((id) => announced.has(id)));
  });

  test("are each for itself when one finds its ref moved, or its repository gone", async () => {
    const [lost, won] = [await repositoryWith(MAIN), await repositoryWith(MAIN)];
    const publisher = new PackPublisher(db.database);
    const good = publication(won, oidOf("won"));
    const outcomes = await Promise.all([
      publisher.publish(publication(lost, oidOf("lost"), { expected: oidOf("elsewhere") })),
      publisher.publish(publication("repo_gone-0", oidOf("gone 0"))),
      publisher.publish(publication("repo_gone-1", oidOf("gone 1"))),
      publisher.publish(good),
    ]);
    expect(outcomes).toEqual([false, false, false, true]);
    expect(await stateOf(lost)).toEqual(NOTHING);
    expect(await stateOf(won)).toEqual(writtenBy(good));
  });

  test("are each for itself when the server refuses one", async () => {
    const [bad, ...others] = await Promise.all(Array.from({ length: 5 }, () => repositoryWith(MAIN)));
    const publisher = new PackPublisher(db.database);
    const all = others.map((id, index) => publication(id, oidOf(`beside ${index}`)));
    const outcomes = await Promise.allSettled([
      publisher.publish(publication(bad ?? "", oidOf("bad"), { name: "no name of a pack" })),
      ...all.map((one) => publisher.publish(one)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", ...others.map(() => "fulfilled")]);
    expect(await stateOf(bad ?? "")).toEqual(NOTHING);
    for (const one of all) expect(await stateOf(one.repositoryId)).toEqual(writtenBy(one));
  });

  test("let one win when two move one ref, and both when they move two refs of one repository", async () => {
    const [contested, shared] = [await repositoryWith(MAIN), await repositoryWith(MAIN, "refs/heads/other")];
    const publisher = new PackPublisher(db.database);
    const outcomes = await Promise.all([
      publisher.publish(publication(contested, oidOf("one"))),
      publisher.publish(publication(contested, oidOf("two"))),
      publisher.publish(publication(shared, oidOf("main"))),
      publisher.publish(publication(shared, oidOf("other"), { ref: "refs/heads/other" })),
    ]);
    expect(outcomes.slice(0, 2).toSorted()).toEqual([false, true]);
    expect(outcomes.slice(2)).toEqual([true, true]);
    const [{ packs, log }, { refs }] = [await stateOf(contested), await stateOf(shared)];
    expect([packs.length, log.length]).toEqual([1, 1]);
    expect(refs.map(({ oid }) => oid)).toEqual([oidOf("main"), oidOf("other")]);
  });

  test("do not wait for a repository that another transaction holds; the one for it does", async () => {
    const [held, ...others] = await Promise.all(Array.from({ length: 5 }, () => repositoryWith(MAIN)));
    const publisher = new PackPublisher(db.database);
    let isHeldWritten = false;
    let waiting: Promise<unknown> = Promise.resolve();
    await db.database.transaction(async (tx) => {
      await tx.query("UPDATE repositories SET version = version + 1 WHERE id = $1", [held]);
      waiting = publisher.publish(publication(held ?? "", oidOf("held"))).then((outcome) => {
        isHeldWritten = outcome;
      });
      const outcomes = await Promise.all(others.map((id, index) => publisher.publish(publication(id, oidOf(`free ${index}`)))));
      expect(outcomes).toEqual(others.map(() => true));
      expect(isHeldWritten).toBe(false);
    });
    await waiting;
    expect(isHeldWritten).toBe(true);
  });

  // A compaction keeps the row. PostgreSQL then lets those who come back to an old version of it wait for each other.
  test("all get their turn after one that they waited for, while the repository is being kept", async () => {
    const branches = ["a", "b", "c"].map((name) => `refs/heads/${name}`);
    const id = await repositoryWith(...branches);
    let outcomes: Promise<PromiseSettledResult<boolean>[]> = Promise.resolve([]);
    await db.database.transaction(async (keeping) => {
      await keepRepository(keeping, id);
      await db.database.transaction(async (first) => {
        await advanceVersion(first, id);
        // In transactions, which are not repeated.
        const publish = (ref: string) => db.database.transaction((tx) => publishPack(tx, publication(id, oidOf(ref), { ref })));
        outcomes = Promise.allSettled(branches.map(publish));
        await until("all of them wait", async () => (await countWaiting(db.database)) === branches.length);
      });
      await outcomes;
    });
    expect(await outcomes).toEqual(branches.map(() => ({ status: "fulfilled", value: true })));
  });

  test("leave an unbroken log when several processes move the same refs", async () => {
    const ids = await Promise.all(Array.from({ length: 4 }, () => repositoryWith(MAIN)));
    const headOf = async (id: string) =>
      (await db.database.query<{ oid: Oid }>("SELECT oid FROM refs WHERE repository_id = $1", [id])).rows[0]?.oid ?? FIRST;
    const writers = [new PackPublisher(db.database), new PackPublisher(db.database)];
    let written = 0;
    const moveOften = async (publisher: PackPublisher, id: string, who: string) => {
      for (let round = 0; round < 25; round += 1) {
        const next = publication(id, oidOf(`${id} ${who} ${round}`), { expected: await headOf(id) });
        if (await publisher.publish(next)) written += 1;
      }
    };
    await Promise.all(writers.flatMap((writer, index) => ids.map((id) => moveOften(writer, id, `${index}`))));
    const states = await Promise.all(ids.map(stateOf));
    for (const { log, refs } of states) {
      expect(log.map((row) => row.old_oid)).toEqual([FIRST, ...log.slice(0, -1).map((row) => row.new_oid)]);
      expect(refs[0]?.oid).toBe(log.at(-1)?.new_oid);
    }
    expect(states.flatMap(({ log }) => log).length).toBe(written);
    expect(states.flatMap(({ packs }) => packs).length).toBe(written);
  });
});
