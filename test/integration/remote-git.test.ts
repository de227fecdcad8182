// Heads and packs from real git, by every way that leads to one: HTTP with and without protocol version 2, and a folder.
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseOid } from "../../src/domain/oid.ts";
import type { Remote } from "../../src/remotes/remote.ts";
import { git, gitBytes } from "../support/git.ts";
import { recordUploadPacks } from "../support/local-upload-pack.ts";
import { createSourceRepository, manyFiles, type SourceRepository } from "../support/source-repository.ts";
import { deadline, failureOf, fetchWhole, openTestRemotes, serveSource } from "../support/test-remotes.ts";

type Way = { readonly remote: Remote } & AsyncDisposable;

async function byHttp(source: SourceRepository, protocol: "v0" | "v2"): Promise<Way> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await serveSource(source, { protocol }));
  const remote = stack.use(stack.use(openTestRemotes()).open(server.remoteUrl));
  const owned = stack.move();
  return { remote, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function byFolder(source: SourceRepository): Promise<Way> {
  await using stack = new AsyncDisposableStack();
  const remotes = stack.use(openTestRemotes({ fileRemotes: [source.path], runLocalUploadPack: recordUploadPacks().run }));
  const remote = stack.use(remotes.open(source.url));
  const owned = stack.move();
  return { remote, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Indexes the pack of a commit as strictly as an import does, into a repository that may have objects already. */
async function index(pack: Buffer, oid: string, into: string): Promise<void> {
  await appendFile(join(into, "shallow"), `${oid}\n`);
  await git(["-C", into, "index-pack", "--strict", "--fix-thin", "--stdin"], { input: pack });
}

async function emptyRepository(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "coregit-target-"));
  await git(["init", "--quiet", "--bare", path]);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

describe.each<[string, (source: SourceRepository) => Promise<Way>]>([
  ["HTTP with protocol version 2", (source) => byHttp(source, "v2")],
  ["HTTP without protocol version 2", (source) => byHttp(source, "v0")],
  ["a folder", byFolder],
])("by %s", (_name, open) => {
  test("the head of a branch and of HEAD's branch are read", async () => {
    await using source = await createSourceRepository({ branch: "trunk" });
    const trunk = await source.commit({ "a.txt": "a" });
    const side = await source.commit({ "b.txt": "b" }, { branch: "side/way" });
    await using way = await open(source);
    expect(await way.remote.readHead(null, deadline())).toEqual({ branch: "trunk", oid: trunk, isEmpty: false });
    expect(await way.remote.readHead("side/way", deadline())).toEqual({ branch: "side/way", oid: side, isEmpty: false });
    expect(await way.remote.readHead("side", deadline())).toEqual({ branch: "side", oid: null, isEmpty: false });
  });

  test("a remote without refs is empty", async () => {
    await using source = await createSourceRepository();
    await using way = await open(source);
    expect(await way.remote.readHead("main", deadline())).toEqual({ branch: "main", oid: null, isEmpty: true });
    expect(await way.remote.readHead(null, deadline())).toMatchObject({ oid: null, isEmpty: true });
  });

  test("a HEAD that points nowhere or to a commit names no head to follow", async () => {
    await using source = await createSourceRepository();
    const oid = await source.commit({ "a.txt": "a" }, { branch: "other" });
    await using way = await open(source);
    expect(await way.remote.readHead(null, deadline())).toMatchObject({ oid: null, isEmpty: false });
    await source.git("update-ref", "--no-deref", "HEAD", oid);
    expect(await way.remote.readHead(null, deadline())).toMatchObject({ oid });
  });

  test("a branch name that git does not take is refused before anything is sent", async () => {
    await using source = await createSourceRepository();
    await using way = await open(source);
    expect(await failureOf(way.remote.readHead("a\nb", deadline()))).toMatchObject({ code: "RefNameRefused" });
    expect(way.remote.calls).toBe(0);
  });

  test("the pack holds the whole commit and none of its parents", async () => {
    await using source = await createSourceRepository();
    const parent = await source.commit({ "old.txt": "old" });
    const oid = await source.commit({ ...manyFiles(300), "old.txt": null });
    await using way = await open(source);
    await using target = await emptyRepository();
    await index(await fetchWhole(way.remote, oid), oid, target.path);
    const content = (repository: string) => gitBytes(["-C", repository, "ls-tree", "-r", "-t", "--full-tree", oid]);
    expect(await content(target.path)).toEqual(await content(source.path));
    const all = await git(["-C", target.path, "cat-file", "--batch-check", "--batch-all-objects"]);
    expect(all).toContain(oid);
    expect(all).not.toContain(parent);
  });

  test("with a commit that both sides have only what is new is sent", async () => {
    await using source = await createSourceRepository();
    const have = await source.commit(manyFiles(2000));
    await using way = await open(source);
    await using target = await emptyRepository();
    const whole = await fetchWhole(way.remote, have);
    await index(whole, have, target.path);
    const oid = await source.commit({ "folder-000/part-0/file-000000.txt": "changed\n" });
    const pack = await fetchWhole(way.remote, { oid, have });
    expect(pack.length).toBeLessThan(whole.length / 20);
    await index(pack, oid, target.path);
    const objects = await git(["-C", target.path, "rev-list", "--objects", "--no-walk", oid]);
    expect(objects.split("\n").length).toBeGreaterThan(2000);
  });

  test("a commit that the remote does not have is gone, not an error of the protocol", async () => {
    await using source = await createSourceRepository();
    await source.commit({ "a.txt": "a" });
    await using way = await open(source);
    await way.remote.readHead(null, deadline());
    expect(await failureOf(fetchWhole(way.remote, parseOid("1".repeat(40))))).toMatchObject({ code: "RemoteMoved" });
  });

  test("a fetch can be stopped in the middle", async () => {
    await using source = await createSourceRepository();
    const oid = await source.commit({ "a.bin": Buffer.alloc(4_000_000, "random".repeat(7)) });
    await using way = await open(source);
    let chunks = 0;
    for await (const chunk of way.remote.fetchPack({ oid, have: null }, deadline())) {
      expect(chunk.length).toBeGreaterThan(0);
      chunks += 1;
      break;
    }
    expect(chunks).toBe(1);
    expect(await way.remote.readHead("main", deadline())).toMatchObject({ oid });
  });

  test("a signal that has fired sends nothing", async () => {
    await using source = await createSourceRepository();
    await using way = await open(source);
    expect(await failureOf(way.remote.readHead("main", AbortSignal.abort()))).toMatchObject({ code: "Interrupted" });
    expect(way.remote.calls).toBe(0);
  });
});

describe("the number of requests", () => {
  test("of a head is one, once the server is known to the process", async () => {
    await using source = await createSourceRepository();
    await source.commit({ "a.txt": "a" });
    await using server = await serveSource(source);
    await using remotes = openTestRemotes();
    for (const [branch, calls] of [
      ["main", 2],
      ["main", 1],
      [null, 1],
    ] as const) {
      await using remote = remotes.open(server.remoteUrl);
      await remote.readHead(branch, deadline());
      expect(remote.calls).toBe(calls);
    }
    expect(server.requests.map(({ method }) => method)).toEqual(["GET", "POST", "POST", "POST"]);
    expect(server.requests.at(-1)?.headers).toMatchObject({
      "git-protocol": "version=2",
      "user-agent": "git/2.0 (coregit/test)",
    });
  });

  test("of a head on a server without version 2 is one", async () => {
    await using source = await createSourceRepository();
    await source.commit({ "a.txt": "a" });
    await using server = await serveSource(source, { protocol: "v0" });
    await using remotes = openTestRemotes();
    await using remote = remotes.open(server.remoteUrl);
    await remote.readHead("main", deadline());
    expect(remote.calls).toBe(1);
  });

  test("of a whole import is three, over one connection", async () => {
    await using source = await createSourceRepository();
    const oid = await source.commit({ "a.txt": "a" });
    await using server = await serveSource(source);
    await using remotes = openTestRemotes();
    await using remote = remotes.open(server.remoteUrl);
    await remote.readHead("main", deadline());
    await fetchWhole(remote, oid);
    expect({ calls: remote.calls, connections: server.connections }).toEqual({ calls: 3, connections: 1 });
  });

  test.each(["v0", "v2"] as const)("rises once when a server changes from or to %s", async (last) => {
    await using source = await createSourceRepository();
    const oid = await source.commit({ "a.txt": "a" });
    await using server = await serveSource(source, { protocol: last === "v2" ? "v0" : "v2" });
    await using remotes = openTestRemotes();
    {
      await using before = remotes.open(server.remoteUrl);
      expect(await before.readHead("main", deadline())).toMatchObject({ oid });
    }
    server.protocol = last;
    await using after = remotes.open(server.remoteUrl);
    expect(await after.readHead("main", deadline())).toMatchObject({ oid });
    expect(after.calls).toBe(2);
    expect((await fetchWhole(after, oid)).subarray(0, 4).toString()).toBe("PACK");
  });
});
