// Thin packs, to which git adds what they build on: what is stored and what is judged is the pack that this makes.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type NewObject, newObject } from "../../src/domain/object-codec.ts";
import { receivePush } from "../../src/repositories/receive-push.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { addRepository, chunked, commitOf, openTestStore, publishSmallCommit, smallCommit } from "../support/git-store.ts";
import { packEntry, packOfEntries, REF_DELTA, varint } from "../support/pack-entries.ts";

const ENTRY_KINDS = { commit: 1, tree: 2, blob: 3, tag: 4 } as const;
const NEW = "refs/heads/new";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const whole = ({ type, content }: NewObject) => packEntry(ENTRY_KINDS[type], Buffer.from(content));

/** The object as a delta that takes nothing over from its base. */
function onBase(object: NewObject, base: NewObject): Buffer {
  const parts: Buffer[] = [varint(base.content.length), varint(object.content.length)];
  for (let start = 0; start < object.content.length; start += 127) {
    const part = object.content.subarray(start, start + 127);
    parts.push(Buffer.from([part.length]), Buffer.from(part));
  }
  return packEntry(REF_DELTA, Buffer.concat(parts), Buffer.from(base.oid, "hex"));
}

test("bytes behind a thin pack, as many as git adds to it, do not pass for the stored pack", async () => {
  await using world = await openTestStore(database.database, { limits: { inlinePackBytes: 0 } });
  const repository = await addRepository(database.database, "followed");
  const parent = await publishSmallCommit(world.store, repository, { text: "base", expected: null });
  const [base = commitOf(parent)] = smallCommit("base").objects;
  const { objects, oid } = smallCommit("next", [parent]);
  const [blob = base, ...others] = objects;
  const thin = packOfEntries([onBase(blob, base), ...others.map(whole)]);
  const behind = Buffer.alloc(whole(base).length, "x");
  const push = {
    repository,
    commands: [{ name: NEW, expected: null, next: oid }],
    isAtomic: false,
    pack: chunked(Buffer.concat([thin, behind])),
    actor: "master",
  };
  expect(await receivePush(world.store, push, AbortSignal.timeout(60_000))).toMatchObject({ refs: [{ problem: null }] });
  const { rows } = await database.database.query<{ pack_size: string }>("SELECT pack_size FROM packs WHERE source = 'push'");
  expect(Number(rows[0]?.pack_size), "as much came as is stored").toBe(thin.length + behind.length);
  await using another = await openTestStore(database.database, { blobs: world.blobs });
  expect((await another.store.reader(repository).readRefs()).get(NEW)).toBe(oid);
  await expect(another.store.view(repository)).resolves.toMatch(/^\//);
});

test("a tip that a thin pack only builds on has to be complete as any other", async () => {
  await using world = await openTestStore(database.database, { limits: { inlinePackBytes: 0 } });
  const repository = await addRepository(database.database, "built-on");
  const partial = commitOf(newObject("tree", Buffer.from("a tree that is nowhere")).oid, [], "Partial\n");
  const hidden = world.store.buildPack([partial], "push");
  await world.store.publish({ repositoryId: repository.id, packs: [hidden], refs: [], actor: "master", reason: "test" });
  const { objects } = smallCommit("complete");
  const [commit = partial, ...others] = objects.toReversed();
  const push = {
    repository,
    commands: [{ name: NEW, expected: null, next: partial.oid }],
    isAtomic: false,
    pack: chunked(packOfEntries([onBase(commit, partial), ...others.map(whole)])),
    actor: "master",
  };
  expect(await receivePush(world.store, push, AbortSignal.timeout(60_000))).toEqual({
    unpackProblem: null,
    refs: [{ name: NEW, problem: "missing necessary objects" }],
  });
  expect(await Array.fromAsync(world.blobs.list(`${repository.id}/`))).toEqual([]);
});
