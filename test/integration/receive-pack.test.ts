// Pushes by real git clients: native git and isomorphic-git.
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import isomorphicGit from "isomorphic-git";
import isomorphicHttp from "isomorphic-git/http/node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CHANNELS } from "../../src/db/database.ts";
import { git } from "../support/git.ts";
import { type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";
import { openPushTarget, type PushTarget, type WorkingCopy } from "../support/push-world.ts";
import { until } from "../support/until.ts";

let http: HttpWorld;
let target: PushTarget;
let work: WorkingCopy;
let stack: AsyncDisposableStack;
let count = 0;

beforeAll(async () => {
  http = await openHttpWorld();
});
afterAll(() => http[Symbol.asyncDispose]());

beforeEach(async () => {
  count += 1;
  stack = new AsyncDisposableStack();
  target = stack.use(await openPushTarget(http, `site-${count}`));
  work = stack.use(await target.clone());
  await work.commit({ "README.md": "one\n" });
});
afterEach(() => stack.disposeAsync());

const clone = async (...options: string[]) => stack.use(await target.clone(...options));

describe("a push by native git", () => {
  test.each(["0", "1", "2"])("of the first branch reaches the next clone, by protocol version %s", async (version) => {
    await work.git("-c", `protocol.version=${version}`, "push", "--quiet", "origin", "main");
    const head = await work.git("rev-parse", "HEAD");
    expect(await target.refs()).toEqual({ "refs/heads/main": head });
    const other = await clone();
    expect(await other.git("rev-parse", "HEAD")).toBe(head);
  });

  test("and a pull and a push back meet", async () => {
    await work.git("push", "--quiet", "origin", "main");
    const other = await clone();
    const theirs = await other.commit({ "b.txt": "two\n" });
    await other.git("push", "--quiet");
    await work.git("pull", "--quiet", "--ff-only", "origin", "main");
    expect(await work.git("rev-parse", "HEAD")).toBe(theirs);
  });

  test("of a branch that is not the default one leaves the default branch as it is", async () => {
    await work.git("push", "--quiet", "origin", "HEAD:refs/heads/feature/a");
    expect(await target.refs()).toEqual({ "refs/heads/feature/a": await work.git("rev-parse", "HEAD") });
    const { body } = await http.ask(`/v1/repos/${target.name}`);
    expect(body.default_branch).toBe("main");
  });

  test("of tags keeps them as they are, annotated ones with what they say", async () => {
    await work.git("tag", "light");
    await work.git("tag", "--annotate", "--message=First", "v1");
    await work.git("push", "--quiet", "origin", "main", "--tags");
    const other = await clone();
    expect(await other.git("cat-file", "-t", "v1")).toBe("tag");
    expect(await other.git("rev-parse", "light", "v1^{commit}")).toBe(await work.git("rev-parse", "light", "v1^{commit}"));
  });

  test("deletes branches and tags, without a pack", async () => {
    await work.git("push", "--quiet", "origin", "main", "main:old", "main:refs/tags/v0");
    await work.git("push", "--quiet", "--delete", "origin", "old", "v0");
    expect(Object.keys(await target.refs())).toEqual(["refs/heads/main"]);
  });

  test("does not delete the default branch", async () => {
    await work.git("push", "--quiet", "origin", "main");
    const { code, stderr } = await work.try("push", "origin", ":main");
    expect([code, stderr]).toEqual([1, expect.stringContaining("deletion of the current branch prohibited")]);
    expect(Object.keys(await target.refs())).toEqual(["refs/heads/main"]);
  });

  test("makes a branch anew after it was deleted, by the very same pack", async () => {
    await work.git("push", "--quiet", "origin", "main:again");
    await work.git("push", "--quiet", "--delete", "origin", "again");
    await work.git("push", "--quiet", "origin", "main:again");
    expect(Object.keys(await target.refs())).toEqual(["refs/heads/again"]);
  });

  test("is forced over commits that the reflog keeps", async () => {
    const before = await work.commit({ "b.txt": "b\n" });
    await work.git("push", "--quiet", "origin", "main");
    await work.git("commit", "--quiet", "--amend", "--message=Other");
    const { code, stderr } = await work.try("push", "origin", "main");
    expect([code, stderr]).toEqual([1, expect.stringContaining("non-fast-forward")]);
    await work.git("push", "--quiet", "--force-with-lease", "origin", "main");
    const after = await work.git("rev-parse", "HEAD");
    const sql = "SELECT old_oid, new_oid, actor, reason FROM reflog ORDER BY id DESC LIMIT 1";
    const { rows } = await http.world.database.query(sql);
    expect(rows).toEqual([{ old_oid: before, new_oid: after, actor: "master", reason: "push" }]);
  });

  test("that comes late is rejected with git's usual words", async () => {
    await work.git("push", "--quiet", "origin", "main");
    const other = await clone();
    await work.commit({ "b.txt": "b\n" });
    await work.git("push", "--quiet", "origin", "main");
    await other.commit({ "c.txt": "c\n" });
    const { code, stderr } = await other.try("push", "origin", "main");
    expect([code, stderr]).toEqual([1, expect.stringMatching(/\[rejected\].*\(fetch first\)/)]);
  });

  test("of several refs is all or nothing when it is atomic, and ref by ref when it is not", async () => {
    await work.git("push", "--quiet", "origin", "main");
    const refs = ["main:refs/heads/fine", "main:refs/heads/main/below"];
    const atomic = await work.try("push", "--atomic", "origin", ...refs);
    expect([atomic.code, atomic.stderr]).toEqual([1, expect.stringContaining("atomic push failure")]);
    expect(Object.keys(await target.refs())).toEqual(["refs/heads/main"]);
    const { code, stderr } = await work.try("push", "origin", ...refs);
    expect([code, stderr]).toEqual([1, expect.stringContaining("cannot exist beside refs/heads/main")]);
    expect(Object.keys(await target.refs())).toEqual(["refs/heads/fine", "refs/heads/main"]);
  });

  test("may turn a branch into a folder of branches at once", async () => {
    await work.git("push", "--quiet", "origin", "main", "main:a");
    await work.git("push", "--quiet", "--atomic", "origin", ":a", "main:refs/heads/a/b");
    expect(Object.keys(await target.refs())).toEqual(["refs/heads/a/b", "refs/heads/main"]);
  });

  test("mirrors many refs, and their end", async () => {
    const head = await work.git("rev-parse", "HEAD");
    const names = Array.from({ length: 1_500 }, (_, index) => `refs/heads/many/b${index}`);
    const mirror = async (change: (name: string) => string) => {
      await git(["-C", work.path, "update-ref", "--stdin"], { input: names.map(change).join("") });
      await work.git("push", "--quiet", "--mirror", target.url);
      return Object.keys(await target.refs()).filter((name) => name.startsWith("refs/heads/many/")).length;
    };
    expect(await mirror((name) => `create ${name} ${head}\n`)).toBe(1_500);
    expect(await mirror((name) => `delete ${name}\n`)).toBe(0);
  });

  test("from a shallow clone adds to what is here", async () => {
    await work.commit({ "b.txt": "b\n" });
    await work.git("push", "--quiet", "origin", "main");
    const shallow = await clone("--depth=1");
    const head = await shallow.commit({ "c.txt": "c\n" });
    await shallow.git("push", "--quiet", "origin", "main");
    const whole = await clone();
    expect(await whole.git("rev-list", "--count", head)).toBe("3");
  });

  test("from a shallow clone of elsewhere, whose history is not here, is refused", async () => {
    await work.commit({ "b.txt": "b\n" });
    await work.git("push", "--quiet", "origin", "main");
    const other = stack.use(await openPushTarget(http, `${target.name}-other`));
    const shallow = await clone("--depth=1");
    const { code, stderr } = await shallow.try("push", other.url, "main");
    expect([code, stderr]).toEqual([1, expect.stringMatching(/unpack|missing necessary objects/)]);
    expect(await other.refs()).toEqual({});
  });

  test("with push options is refused by what is not offered", async () => {
    const { code, stderr } = await work.try("push", "--push-option=x", "origin", "main");
    expect([code, stderr]).toEqual([1, expect.stringContaining("does not support push options")]);
  });

  test("sent in chunks, after asking whether to, arrives", async () => {
    await work.commit({ "large.bin": randomBytes(3 * 1024 * 1024) });
    await work.git("-c", "http.postBuffer=65536", "push", "--quiet", "origin", "main");
    expect(await target.refs()).toEqual({ "refs/heads/main": await work.git("rev-parse", "HEAD") });
  });

  test("wakes who listens for moved refs", async () => {
    const moved: string[] = [];
    const { id } = await http.world.repository(target.name);
    stack.use(
      await http.world.database.listen(CHANNELS.refMoved, { onMessage: (text) => moved.push(text), onGap: () => undefined }),
    );
    await work.git("push", "--quiet", "origin", "main");
    await until("the notification came", () => moved.includes(id));
  });
});

describe("pushes beside other writers", () => {
  test("of one branch at once: exactly one wins", async () => {
    await work.git("push", "--quiet", "origin", "main");
    const copies = await Promise.all(["a", "b", "c"].map(() => clone()));
    const heads = await Promise.all(copies.map((copy, index) => copy.commit({ [`${index}.txt`]: `${index}\n` })));
    const results = await Promise.all(copies.map((copy) => copy.try("push", "origin", "main")));
    const winners = heads.filter((_, index) => results[index]?.code === 0);
    expect(winners).toHaveLength(1);
    expect((await target.refs())["refs/heads/main"]).toBe(winners[0]);
  });

  test("and commits by the API see each other", async () => {
    await work.git("push", "--quiet", "origin", "main");
    const commit = {
      branch: "main",
      message: "API",
      author: { name: "Ada", email: "ada@example.com" },
      changes: [{ path: "api.txt", content: "x\n" }],
    };
    const body = { ...commit, parent_sha: await work.git("rev-parse", "HEAD") };
    const made = await http.ask(`/v1/repos/${target.name}/commits`, { method: "POST", body });
    expect(made.status).toBe(201);
    await work.git("pull", "--quiet", "--ff-only", "origin", "main");
    await work.commit({ "b.txt": "b\n" });
    await work.git("push", "--quiet", "origin", "main");
    const stale = await http.ask(`/v1/repos/${target.name}/commits`, { method: "POST", body });
    expect([stale.status, stale.body.head_sha]).toEqual([409, await work.git("rev-parse", "HEAD")]);
  });

  test("through another replica are seen by this one", async () => {
    const replica = stack.use(await http.replica());
    const url = target.url.replace(http.url.replace("http://", ""), replica.url.replace("http://", ""));
    await work.git("push", "--quiet", url, "main");
    expect(await work.git("ls-remote", "origin", "main")).toContain(await work.git("rev-parse", "HEAD"));
  });
});

describe("who may push", () => {
  test("a token that reads is told that it may not, and one that writes stands in the reflog", async () => {
    const token = async (right: string) =>
      (await http.ask("/v1/tokens", { method: "POST", body: { name: right, scopes: { [`repos:${target.name}`]: [right] } } }))
        .body;
    const [reader, writer] = [await token("read"), await token("write")];
    const refused = await work.try("push", target.url.replace(MASTER_KEY, String(reader.token)), "main");
    expect([refused.code, refused.stderr]).toEqual([128, expect.stringMatching(/remote: The API key may not write.*403/s)]);
    await work.git("push", "--quiet", target.url.replace(MASTER_KEY, String(writer.token)), "main");
    const { rows } = await http.world.database.query("SELECT actor FROM reflog ORDER BY id DESC LIMIT 1");
    expect(rows).toEqual([{ actor: `token:${writer.id}` }]);
  });

  test("nobody without a key, not even to a public repository", async () => {
    await http.ask(`/v1/repos/${target.name}`, { method: "PATCH", body: { visibility: "public" } });
    const { code, stderr } = await work.try("push", `${http.url}/${target.name}.git`, "main");
    expect([code, stderr]).toEqual([128, expect.stringContaining("could not read Username")]);
    expect((await target.post(Buffer.from("0000"), { "x-api-key": "" })).status).toBe(401);
  });

  test("not to a repository that is not there", async () => {
    expect((await work.try("push", http.gitUrl("none"), "main")).stderr).toMatch(/There is no such repository\..*not found/s);
  });
});

test("isomorphic-git pushes and deletes", async () => {
  const remote = { fs, http: isomorphicHttp, dir: work.path, url: `${http.url}/${target.name}.git` };
  const onAuth = () => ({ username: "any", password: MASTER_KEY });
  const pushed = await isomorphicGit.push({ ...remote, onAuth, ref: "main", remoteRef: "refs/heads/iso" });
  expect(pushed.ok).toBe(true);
  expect(await target.refs()).toEqual({ "refs/heads/iso": await work.git("rev-parse", "HEAD") });
  await isomorphicGit.push({ ...remote, onAuth, ref: "main", remoteRef: "refs/heads/iso", delete: true });
  expect(await target.refs()).toEqual({});
});
