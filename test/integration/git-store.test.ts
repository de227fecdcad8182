// The git store against a real database and native git: what is published is there, whole, for every replica.
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeTree, newObject } from "../../src/domain/object-codec.ts";
import { EMPTY_TREE, parseOid } from "../../src/domain/oid.ts";
import { writePack } from "../../src/git/pack-writer.ts";
import { createTestDatabase } from "../support/database.ts";
import { git, gitBytes } from "../support/git.ts";
import {
  addRepository,
  chunked,
  commitOf,
  importHead,
  openTestStore,
  publishSmallCommit,
  smallCommit,
} from "../support/git-store.ts";
import { createSourceRepository, manyFiles } from "../support/source-repository.ts";

async function openWorld() {
  await using stack = new AsyncDisposableStack();
  const { database } = stack.use(await createTestDatabase());
  const { store, cacheDir, blobs } = stack.use(await openTestStore(database));
  const repository = await addRepository(database);
  const owned = stack.move();
  return { database, store, cacheDir, blobs, repository, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const MAIN = "refs/heads/main";

describe("publishing", () => {
  test("a commit made in process is what native git clones", async () => {
    await using world = await openWorld();
    const oid = await publishSmallCommit(world.store, world.repository, { text: "hello", expected: null });
    const view = await world.store.view(world.repository);
    expect(await git(["--git-dir", view, "rev-parse", "HEAD"])).toBe(oid);
    expect(await git(["--git-dir", view, "show", "HEAD:file.txt"])).toBe("hello");
  });

  test("a ref moves only from what was expected, and the loser learns what it is", async () => {
    await using world = await openWorld();
    const first = await publishSmallCommit(world.store, world.repository, { text: "1", expected: null });
    const again = publishSmallCommit(world.store, world.repository, { text: "2", expected: null });
    await expect(again).rejects.toMatchObject({ code: "RefMoved", details: { ref: MAIN, actual: first } });
    const { rows } = await world.database.query("SELECT count(*)::int AS packs FROM packs");
    expect(rows).toEqual([{ packs: 1 }]);
  });

  test("of two replicas that race for a ref exactly one wins, each time", async () => {
    await using world = await openWorld();
    await using other = await openTestStore(world.database);
    let head = await publishSmallCommit(world.store, world.repository, { text: "0", expected: null });
    for (let round = 1; round <= 10; round += 1) {
      const moves = [world.store, other.store].map((store, index) =>
        publishSmallCommit(store, world.repository, { text: `${round}.${index}`, expected: head }),
      );
      const results = await Promise.allSettled(moves);
      const [winner, ...others] = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      expect(others).toEqual([]);
      head = winner ?? head;
      for (const { store } of [world, other]) {
        expect(await git(["--git-dir", await store.view(world.repository), "rev-parse", MAIN])).toBe(head);
      }
    }
    const { rows } = await world.database.query("SELECT count(*)::int AS moves FROM reflog WHERE ref = $1", [MAIN]);
    expect(rows).toEqual([{ moves: 11 }]);
  });

  test("what the caller adds to the transaction is undone with it, and a publication of nothing runs it", async () => {
    await using world = await openWorld();
    const { objects, oid } = smallCommit("1");
    const publication = {
      repositoryId: world.repository.id,
      packs: [world.store.buildPack(objects, "commit")],
      refs: [{ name: MAIN, expected: null, next: oid }],
      actor: "master",
      reason: "test",
    };
    await expect(world.store.publish(publication, () => Promise.reject(new RangeError("no")))).rejects.toThrow(RangeError);
    expect(await world.store.reader(world.repository).readRefs()).toEqual(new Map());
    const rename = "UPDATE repositories SET description = 'seen'";
    await world.store.publish({ ...publication, packs: [], refs: [] }, async (tx) => void (await tx.query(rename)));
    expect(await world.store.get(world.repository.id)).toMatchObject({ description: "seen" });
  });

  test("refs that git could not keep side by side are refused, and a folder may take the place of a deleted ref", async () => {
    await using world = await openWorld();
    const oid = await publishSmallCommit(world.store, world.repository, { text: "1", expected: null, ref: "refs/heads/a" });
    const move = (refs: { name: string; expected: typeof oid | null; next: typeof oid | null }[]) =>
      world.store.publish({ repositoryId: world.repository.id, packs: [], refs, actor: "master", reason: "test" });
    await expect(move([{ name: "refs/heads/a/b", expected: null, next: oid }])).rejects.toMatchObject({ code: "RefNameRefused" });
    await move([
      { name: "refs/heads/a/b", expected: null, next: oid },
      { name: "refs/heads/a", expected: oid, next: null },
    ]);
    await expect(move([{ name: "refs/heads/a", expected: null, next: oid }])).rejects.toMatchObject({ code: "RefNameRefused" });
    await move([{ name: "refs/heads/ab", expected: null, next: oid }]);
    expect([...(await world.store.reader(world.repository).readRefs()).keys()]).toEqual(["refs/heads/a/b", "refs/heads/ab"]);
  });

  test.each(["refs/heads/a..b", "refs/heads/HEAD", `refs/heads/${"a".repeat(40)}`, "HEAD"])(
    "the ref name %s is refused",
    async (name) => {
      await using world = await openWorld();
      const publishing = publishSmallCommit(world.store, world.repository, { text: "1", expected: null, ref: name });
      await expect(publishing).rejects.toMatchObject({ code: "RefNameRefused" });
    },
  );

  test("listeners hear which repository's refs moved", async () => {
    await using world = await openWorld();
    const heard = Promise.withResolvers<string>();
    await using _listening = await world.database.listen("coregit_ref_moved", {
      onMessage: heard.resolve,
      onGap: () => undefined,
    });
    await publishSmallCommit(world.store, world.repository, { text: "1", expected: null });
    expect(await heard.promise).toBe(world.repository.id);
  });
});

describe("importing", () => {
  test("keeps the remote's trees and blobs under a commit of ours, and nothing of its history", async () => {
    await using world = await openWorld();
    await using source = await createSourceRepository();
    await source.commit({ "old.txt": "gone later" });
    const files = { "a.txt": "a", "dir/run.sh": { mode: "100755", content: "#!/bin/sh\n" }, "dir/\xff\n": "odd name" } as const;
    const remote = await source.commit({ ...files, link: { mode: "120000", content: "a.txt" }, "old.txt": null });
    const commit = await importHead(world.store, world.repository, source);
    const view = await world.store.view(world.repository);
    expect(await git(["--git-dir", view, "rev-parse", "main^{tree}"])).toBe(await source.tree());
    expect(await git(["--git-dir", view, "rev-list", "--all"])).toBe(commit);
    await expect(world.store.reader(world.repository).readCommit(remote)).rejects.toMatchObject({ code: "ObjectMissing" });
  });

  test("a large pack goes by the blob store and reaches another replica whole", async () => {
    await using world = await openWorld();
    await using source = await createSourceRepository();
    await source.commit(manyFiles(3_000));
    await importHead(world.store, world.repository, source);
    const { rows } = await world.database.query("SELECT count(*)::int AS large FROM packs WHERE pack_bytes IS NULL");
    expect(rows).toEqual([{ large: 1 }]);
    await using other = await openTestStore(world.database, { blobs: world.blobs });
    expect(await git(["--git-dir", await other.store.view(world.repository), "rev-parse", "main^{tree}"])).toBe(
      await source.tree(),
    );
  });

  test("a thin pack builds on the remote commit of the import before", async () => {
    await using world = await openWorld();
    await using source = await createSourceRepository();
    const text = Array.from({ length: 2_000 }, (_, line) => `line ${line}`).join("\n");
    const old = await source.commit({ "big.txt": text, "kept/same.txt": "same" });
    const first = await importHead(world.store, world.repository, source);
    const next = await source.commit({ "big.txt": `${text}\nand one more` });
    const content = await gitBytes(["-C", source.path, "cat-file", "commit", old]);
    const input = `${next}\n^${old}\n`;
    const thin = await gitBytes(["-C", source.path, "pack-objects", "--thin", "--revs", "--stdout", "--quiet"], { input });
    expect(thin.length).toBeLessThan(2_000);
    const signal = AbortSignal.timeout(30_000);
    await using quarantine = await world.store.quarantine(world.repository, { oid: old, content });
    await quarantine.receivePack(chunked(thin), { shallowTips: [next] }, signal);
    const commit = commitOf(await source.tree(), [first]);
    quarantine.addObjects([commit]);
    const packs = await quarantine.seal({ source: "import", dropCommits: true }, signal);
    const refs = [{ name: MAIN, expected: first, next: commit.oid }];
    await world.store.publish({ repositoryId: world.repository.id, packs, refs, actor: "sync:1", reason: "import" });
    expect(await git(["--git-dir", await world.store.view(world.repository), "show", "main:kept/same.txt"])).toBe("same");
  });

  test("a quarantine over a repository that is gone says so, lets go of the pack, and leaves nothing", async () => {
    await using world = await openWorld();
    const { oid, objects } = smallCommit("for nobody");
    const source = chunked(writePack(objects).pack, 16);
    {
      await using quarantine = await world.store.quarantine({ ...world.repository, id: "repo_gone" });
      const receiving = quarantine.receivePack(source, { shallowTips: [oid] }, AbortSignal.timeout(10_000));
      await expect(receiving).rejects.toMatchObject({ code: "RepositoryNotFound" });
    }
    expect(await source.next()).toEqual({ done: true, value: undefined });
    const [own] = await readdir(join(world.cacheDir, "quarantine"));
    expect(await readdir(join(world.cacheDir, "quarantine", own ?? ""))).toEqual([]);
  });

  test("nothing is left of a quarantine, nor of what it held, when it is not published", async () => {
    await using world = await openWorld();
    const { objects, oid } = smallCommit("1");
    {
      await using quarantine = await world.store.quarantine(world.repository);
      quarantine.addObjects(objects);
      await quarantine.seal({ source: "import", dropCommits: true }, AbortSignal.timeout(10_000));
    }
    const [own] = await readdir(join(world.cacheDir, "quarantine"));
    expect(await readdir(join(world.cacheDir, "quarantine", own ?? ""))).toEqual([]);
    await expect(world.store.reader(world.repository).readCommit(oid)).rejects.toMatchObject({ code: "ObjectMissing" });
  });
});

describe("reading", () => {
  test("the history is in git's order, in pages", async () => {
    await using world = await openWorld();
    const base = await publishSmallCommit(world.store, world.repository, { text: "1", expected: null });
    const left = commitOf(EMPTY_TREE, [base], "left", 1_700_000_300);
    const right = commitOf(EMPTY_TREE, [base], "right", 1_700_000_200);
    const merge = commitOf(EMPTY_TREE, [right.oid, left.oid], "merge", 1_700_000_400);
    const packs = [world.store.buildPack([newObject("tree", encodeTree([])), left, right, merge], "commit")];
    const refs = [{ name: MAIN, expected: base, next: merge.oid }];
    await world.store.publish({ repositoryId: world.repository.id, packs, refs, actor: "master", reason: "test" });
    const reader = world.store.reader(world.repository);
    const expected = (await git(["--git-dir", await world.store.view(world.repository), "log", "--format=%H", "main"])).split(
      "\n",
    );
    expect((await reader.log(merge.oid, { limit: 10, skip: 0 })).map(({ oid }) => oid)).toEqual(expected);
    expect((await reader.log(merge.oid, { limit: 2, skip: 1 })).map(({ oid }) => oid)).toEqual(expected.slice(1, 3));
  });

  test("a revision is a branch, a tag, a ref, or a commit id", async () => {
    await using world = await openWorld();
    const main = await publishSmallCommit(world.store, world.repository, { text: "1", expected: null });
    const tagged = await publishSmallCommit(world.store, world.repository, { text: "2", expected: null, ref: "refs/tags/v1" });
    const tag = newObject(
      "tag",
      Buffer.from(`object ${tagged}\ntype commit\ntag v2\ntagger Ada <a@example.com> 1 +0000\n\nTwo\n`),
    );
    const packs = [world.store.buildPack([tag], "commit")];
    const refs = [{ name: "refs/tags/v2", expected: null, next: tag.oid }];
    await world.store.publish({ repositoryId: world.repository.id, packs, refs, actor: "master", reason: "test" });
    const reader = world.store.reader(world.repository);
    const resolved = await Promise.all(
      ["main", "v1", "v2", "refs/tags/v1", main, main.slice(0, 7).toUpperCase()].map((name) => reader.resolveCommit(name)),
    );
    expect(resolved).toEqual([main, tagged, tagged, tagged, main, main]);
    const blob = newObject("blob", Buffer.from("1"));
    for (const name of ["nothing", "abc", "0".repeat(40), blob.oid, "main^{tree}", "--all", "main\ninfo"]) {
      await expect(reader.resolveCommit(name)).rejects.toMatchObject({ code: "RefNotFound" });
    }
  });

  test("a commit that another replica published a moment ago is found", async () => {
    await using world = await openWorld();
    await using other = await openTestStore(world.database);
    const first = await publishSmallCommit(world.store, world.repository, { text: "1", expected: null });
    const reader = other.store.reader(world.repository);
    expect((await reader.readCommit(first)).message).toBe("Write 1\n");
    const second = await publishSmallCommit(world.store, world.repository, { text: "2", expected: first });
    expect((await reader.readCommit(second)).parents).toEqual([first]);
    expect(await reader.blobSize(newObject("blob", Buffer.from("2")).oid)).toBe(1);
    expect(await reader.blobSize(parseOid("1".repeat(40)))).toBeNull();
    expect(await reader.blobSize(second)).toBeNull();
  });

  test("objects of one repository are not reachable through another", async () => {
    await using world = await openWorld();
    const oid = await publishSmallCommit(world.store, world.repository, { text: "secret", expected: null });
    await world.store.reader(world.repository).readCommit(oid);
    const reader = world.store.reader(await addRepository(world.database, "other"));
    await expect(reader.readCommit(oid)).rejects.toMatchObject({ code: "ObjectMissing" });
    await expect(reader.resolveCommit(oid)).rejects.toMatchObject({ code: "RefNotFound" });
  });

  test("everything is read as before after the whole cache folder was deleted", async () => {
    await using world = await openWorld();
    await using source = await createSourceRepository();
    await source.commit(manyFiles(500));
    let head = await importHead(world.store, world.repository, source);
    const reader = world.store.reader(world.repository);
    await reader.readTree(await source.tree());
    for (let round = 0; round < 3; round += 1) {
      await rm(world.cacheDir, { recursive: true });
      expect((await reader.readCommit(head)).tree).toBe(await source.tree());
      const blob = parseOid(await source.git("rev-parse", `main:folder-000/part-${round}/file-000${round}00.txt`));
      expect(Buffer.from(await reader.readBlob(blob)).toString()).toContain(`File ${round * 100}\n`);
      await rm(world.cacheDir, { recursive: true });
      await source.commit({ "more.txt": `round ${round}` });
      head = await importHead(world.store, world.repository, source, head);
      expect(await git(["--git-dir", await world.store.view(world.repository), "rev-parse", "main"])).toBe(head);
    }
  });

  test("a removed repository is gone with its packs and its view", async () => {
    await using world = await openWorld();
    await using source = await createSourceRepository();
    await source.commit(manyFiles(3_000));
    await importHead(world.store, world.repository, source);
    await world.store.view(world.repository);
    await world.store.remove(world.repository.id);
    await world.store.remove(world.repository.id);
    expect(await world.store.get(world.repository.id)).toBeNull();
    for await (const { key } of world.blobs.list("")) expect.unreachable(`${key} was left`);
    expect(await readdir(join(world.cacheDir, "views"))).toEqual([]);
    await expect(world.store.view(world.repository)).rejects.toMatchObject({ code: "RepositoryNotFound" });
  });
});
