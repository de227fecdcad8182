// Branches, tags and refs by the API: read in pages, made, moved by compare-and-swap, deleted.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newObject } from "../../src/domain/object-codec.ts";
import type { Oid } from "../../src/domain/oid.ts";
import type { Repository } from "../../src/repositories/store.ts";
import { commitOf } from "../support/git-store.ts";
import { type HttpAnswer, type HttpWorld, openHttpWorld } from "../support/http-world.ts";
import { commitHere } from "../support/local-commit.ts";

const ODD_NAME = "fix/ünï-✓'; DROP TABLE refs;--%2F$(id)";

let http: HttpWorld;
let repository: Repository;
/** `main` is at `second`, which follows `first`; `side` follows `first` elsewhere. */
let first: Oid;
let second: Oid;
let side: Oid;
let tree: Oid;
let tag: Oid;

beforeAll(async () => {
  http = await openHttpWorld();
  await http.ask("/v1/repos", { method: "POST", body: { slug: "copy" } });
  repository = await http.world.repository();
  const { store } = http.world;
  first = await commitHere(store, repository, { "a.txt": "1" });
  second = await commitHere(store, repository, { "a.txt": "2" });
  await publish("refs/heads/side", first);
  side = await commitHere(store, repository, { "b.txt": "b" }, "side");
  tree = (await store.reader(repository).readCommit(second)).tree;
  const text = `object ${first}\ntype commit\ntag v1\ntagger Ada <ada@example.com> 1700000000 +0100\n\nThe first\n`;
  const object = newObject("tag", Buffer.from(text));
  tag = object.oid;
  await publish("refs/tags/v1", tag, [object]);
});
afterAll(() => http[Symbol.asyncDispose]());

async function publish(name: string, next: Oid, objects: Parameters<typeof http.world.store.buildPack>[0] = []): Promise<void> {
  const packs = objects.length === 0 ? [] : [http.world.store.buildPack(objects, "push")];
  const refs = [{ name, expected: null, next }];
  await http.world.store.publish({ repositoryId: repository.id, packs, refs, actor: "test", reason: "test" });
}

const at = (path: string) => `/v1/repos/copy${path}`;
const get = (path: string) => http.ask(at(path));
const post = (path: string, body: unknown) => http.ask(at(path), { method: "POST", body });
const put = (path: string, body: unknown) => http.ask(at(path), { method: "PUT", body });
const remove = (path: string) => http.ask(at(path), { method: "DELETE" });
const codeOf = ({ status, body }: HttpAnswer) => [status, body.code];

describe("branches", () => {
  test("are listed in order with their heads, in pages", async () => {
    const all = {
      branches: [
        { name: "main", sha: second },
        { name: "side", sha: side },
      ],
      default_branch: "main",
      next_cursor: null,
    };
    expect((await get("/branches")).body).toEqual(all);
    expect((await http.ask("/v1/repos/default/copy/branches")).body).toEqual(all);
    const page = (await get("/branches?limit=1")).body;
    expect(page.branches).toEqual([{ name: "main", sha: second }]);
    expect((await get(`/branches?limit=1&cursor=${String(page.next_cursor)}`)).body).toEqual({
      ...all,
      branches: [all.branches[1]],
    });
    expect(await get("/branches?cursor=AAAA")).toMatchObject({ status: 400, body: { field: "cursor" } });
    expect(await get("/branches?limit=501")).toMatchObject({ status: 400, body: { field: "limit" } });
  });

  test("of any name are made, read and deleted, slashes encoded or not", async () => {
    for (const name of ["topic/deep/er", ODD_NAME.replaceAll(" ", "_").replace(":", "")]) {
      expect(await post("/branches", { name, from_sha: first })).toMatchObject({ status: 201, body: { name, sha: first } });
      const plain = name.split("/").map(encodeURIComponent).join("/");
      for (const path of [plain, encodeURIComponent(name)]) {
        expect(await get(`/branches/${path}`)).toMatchObject({ status: 200, body: { name, sha: first } });
      }
      expect(await remove(`/branches/${encodeURIComponent(name)}`)).toMatchObject({ status: 200, body: { deleted: true } });
      expect(codeOf(await get(`/branches/${plain}`))).toEqual([404, "REF_NOT_FOUND"]);
    }
  });

  test("begin at a branch, a tag, a commit or the default branch", async () => {
    for (const [from, sha] of [
      [{}, second],
      [{ from: "side" }, side],
      [{ from: "v1" }, first],
      [{ from: first.slice(0, 8) }, first],
      [{ sha: side.toUpperCase() }, side],
    ]) {
      expect(await post("/branches", { name: "begun", ...(from as object) })).toMatchObject({ status: 201, body: { sha } });
      await remove("/branches/begun");
    }
  });

  test("are not made twice, of what is no commit, from nothing, or with a name that git refuses", async () => {
    expect(await post("/branches", { name: "side" })).toMatchObject({
      status: 409,
      body: { code: "REF_EXISTS", head_sha: side },
    });
    expect(codeOf(await post("/branches", { name: "x", sha: tree }))).toEqual([400, "INVALID_REQUEST"]);
    expect(codeOf(await post("/branches", { name: "x", sha: tag }))).toEqual([400, "INVALID_REQUEST"]);
    expect(codeOf(await post("/branches", { name: "x", sha: "1".repeat(40) }))).toEqual([404, "REF_NOT_FOUND"]);
    expect(codeOf(await post("/branches", { name: "x", from: "none" }))).toEqual([404, "REF_NOT_FOUND"]);
    expect(codeOf(await post("/branches", { name: "x", from: "main", sha: first }))).toEqual([400, "INVALID_REQUEST"]);
    for (const name of ["a..b", "-x", "HEAD", "a b", "a\0", "x.lock", "a//b", first, "\ud800"]) {
      expect([name, ...codeOf(await post("/branches", { name, sha: first }))]).toEqual([name, 422, "REF_NAME_REFUSED"]);
    }
    expect(codeOf(await post("/branches", { name: "side/x", sha: first }))).toEqual([422, "REF_NAME_REFUSED"]);
    await http.ask("/v1/repos", { method: "POST", body: { slug: "empty" } });
    const empty = await http.ask("/v1/repos/empty/branches", { method: "POST", body: { name: "x" } });
    expect(codeOf(empty)).toEqual([404, "REF_NOT_FOUND"]);
    expect((await get("/branches")).body.branches).toHaveLength(2);
  });

  test("are made once when many ask at once", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => post("/branches", { name: "once", sha: first })));
    const codes = answers.map(({ status, body }) => body.code ?? status);
    expect(codes.sort()).toEqual([201, ...Array(7).fill("REF_EXISTS")]);
    await remove("/branches/once");
  });

  test("are deleted only where they are expected, and never the default one", async () => {
    await post("/branches", { name: "old", sha: first });
    expect(await remove(`/branches/old?expected_sha=${second}`)).toMatchObject({
      status: 409,
      body: { code: "REF_MOVED", head_sha: first },
    });
    expect((await remove(`/branches/old?expected_sha=${first}`)).status).toBe(200);
    expect(codeOf(await remove("/branches/old"))).toEqual([404, "REF_NOT_FOUND"]);
    expect(codeOf(await remove("/branches/main"))).toEqual([409, "DEFAULT_BRANCH"]);
    expect(codeOf(await remove("/refs/heads/main"))).toEqual([409, "DEFAULT_BRANCH"]);
    expect(codeOf(await remove("/branches/a%00b"))).toEqual([404, "REF_NOT_FOUND"]);
    expect(codeOf(await get("/branches/a%00b"))).toEqual([404, "REF_NOT_FOUND"]);
    expect(await http.world.head()).toBe(second);
  });
});

describe("tags", () => {
  const annotated = {
    name: "v1",
    annotation: { message: "The first", tagger_name: "Ada", tagger_email: "ada@example.com", timestamp: 1_700_000_000 },
  };

  test("show the commit that they lead to, annotated ones also what they say", async () => {
    const shown = { ...annotated, sha: first, annotation: { sha: tag, ...annotated.annotation } };
    expect((await get("/tags/v1")).body).toEqual(shown);
    await post("/tags", { name: "v2", sha: second });
    expect((await get("/tags")).body).toEqual({
      tags: [shown, { name: "v2", sha: second, annotation: null }],
      next_cursor: null,
    });
    expect((await get("/tags?limit=1")).body).toMatchObject({ tags: [{ name: "v1" }], next_cursor: expect.any(String) });
  });

  test("are made and deleted, not made twice", async () => {
    expect(await post("/tags", { name: "release/1.0", from: "side" })).toMatchObject({ status: 201, body: { sha: side } });
    expect(await post("/tags", { name: "release/1.0" })).toMatchObject({
      status: 409,
      body: { code: "REF_EXISTS", head_sha: side },
    });
    expect((await remove("/tags/release/1.0")).status).toBe(200);
    expect(codeOf(await remove("/tags/release/1.0"))).toEqual([404, "REF_NOT_FOUND"]);
    expect(codeOf(await get("/tags/release/1.0"))).toEqual([404, "REF_NOT_FOUND"]);
    expect(codeOf(await post("/tags", { name: "-v", sha: first }))).toEqual([422, "REF_NAME_REFUSED"]);
    expect(codeOf(await post("/tags", { name: "v3", sha: tree }))).toEqual([400, "INVALID_REQUEST"]);
  });

  test("are moved by force only", async () => {
    await post("/tags", { name: "moving", sha: first });
    expect(codeOf(await put("/refs/tags/moving", { sha: second }))).toEqual([409, "REF_EXISTS"]);
    expect((await put("/refs/tags/moving", { sha: second, force: true })).body).toMatchObject({ previous_sha: first });
    await remove("/tags/moving");
  });
});

describe("refs", () => {
  test("are listed by prefix and read by name", async () => {
    expect((await get("/refs?prefix=refs/heads/")).body).toEqual({
      refs: [
        { ref: "refs/heads/main", sha: second },
        { ref: "refs/heads/side", sha: side },
      ],
      next_cursor: null,
    });
    expect((await get("/refs")).body.refs).toContainEqual({ ref: "refs/tags/v1", sha: tag });
    expect((await get("/refs/heads/main")).body).toEqual({ ref: "refs/heads/main", sha: second });
    expect((await get("/refs/heads%2Fmain")).status).toBe(200);
    expect(codeOf(await get("/refs/heads/none"))).toEqual([404, "REF_NOT_FOUND"]);
    expect((await get("/refs?prefix=a%00")).status).toBe(400);
    expect((await get("/refs?prefix=%25")).body.refs).toEqual([]);
  });

  test("move forward where they are expected, and tell where they are otherwise", async () => {
    await post("/refs", { ref: "refs/heads/cas", sha: first });
    expect(await put("/refs/heads/cas", { sha: second, expected_sha: first })).toMatchObject({
      status: 200,
      body: { ref: "refs/heads/cas", sha: second, previous_sha: first },
    });
    const stale = await put("/refs/heads/cas", { sha: second, expected_sha: side });
    expect(stale).toMatchObject({ status: 409, body: { code: "REF_MOVED", head_sha: second } });
    const back = await put("/refs/heads/cas", { sha: side, expected_sha: second });
    expect(back).toMatchObject({ status: 409, body: { code: "NOT_FAST_FORWARD", head_sha: second } });
    const forced = await http.ask(at("/refs/heads/cas"), { method: "PATCH", body: { sha: side, force: true } });
    expect(forced).toMatchObject({ status: 200, body: { sha: side, previous_sha: second } });
    const { rows } = await http.world.database.query(
      "SELECT old_oid, new_oid, actor, reason FROM reflog WHERE ref = 'refs/heads/cas' ORDER BY id",
    );
    expect(rows).toEqual([
      { old_oid: null, new_oid: first, actor: "master", reason: "create ref" },
      { old_oid: first, new_oid: second, actor: "master", reason: "update ref" },
      { old_oid: second, new_oid: side, actor: "master", reason: "force ref" },
    ]);
    expect((await remove(`/refs/heads/cas?expected_sha=${side}`)).status).toBe(200);
  });

  test("do not move to a commit of another history without force", async () => {
    const other = commitOf(tree, [], "Elsewhere\n");
    await publish("refs/heads/elsewhere", other.oid, [other]);
    expect(codeOf(await put("/refs/heads/elsewhere", { sha: second }))).toEqual([409, "NOT_FAST_FORWARD"]);
    await remove("/branches/elsewhere");
  });

  test("are made by an update that expects none", async () => {
    const made = await put("/refs/heads/fresh", { sha: first, expected_sha: null });
    expect(made).toMatchObject({ status: 201, body: { previous_sha: null } });
    expect(codeOf(await put("/refs/heads/fresh", { sha: second, expected_sha: null }))).toEqual([409, "REF_EXISTS"]);
    expect((await put("/refs/heads/fresh", { sha: first })).body).toMatchObject({ previous_sha: first });
    expect(await put("/refs/heads/unborn", { sha: first, expected_sha: first })).toMatchObject({
      status: 409,
      body: { code: "REF_MOVED", head_sha: null },
    });
    await remove("/branches/fresh");
  });

  test.each([
    ["no sha", {}, 400],
    ["a short sha", { sha: "abc123" }, 400],
    ["a branch for a sha", { sha: "main" }, 400],
    ["a missing object", { sha: "2".repeat(40) }, 404],
    ["an unknown field", { sha: "2".repeat(40), expected: null }, 400],
  ])("do not move with %s", async (_, body, status) => {
    expect((await put("/refs/heads/side", body)).status).toBe(status);
    expect((await get("/refs/heads/side")).body).toMatchObject({ sha: side });
  });

  test.each(["refs/heads", "refs/tags", "heads/x", "HEAD", "refs/heads/../x", "refs/", "config"])(
    "are not called %s",
    async (ref) => {
      expect(codeOf(await post("/refs", { ref, sha: first }))).toEqual([422, "REF_NAME_REFUSED"]);
    },
  );

  test("moved by many at once from one place move once", async () => {
    await post("/refs", { ref: "refs/heads/contended", sha: first });
    const next = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((n) => commitHere(http.world.store, repository, { "a.txt": `contended ${n}` }, `c${n}`)),
    );
    // Each is a child of `first` only by force: what counts here is that one wins.
    const answers = await Promise.all(next.map((sha) => put("/refs/heads/contended", { sha, expected_sha: first, force: true })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409, 409]);
    const winner = next[answers.findIndex(({ status }) => status === 200)];
    for (const { status, body } of answers)
      if (status === 409) expect(body).toMatchObject({ code: "REF_MOVED", head_sha: winner });
    expect((await get("/refs/heads/contended")).body).toMatchObject({ sha: winner });
  });

  test("moved by many at once from anywhere all move, one after the other", async () => {
    await post("/refs", { ref: "refs/heads/busy", sha: first });
    const answers = await Promise.all(
      [second, side, second, side, first, second, side].map((sha) => put("/refs/heads/busy", { sha, force: true })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(7).fill(200));
    const { rows } = await http.world.database.query<{ old_oid: string; new_oid: string }>(
      "SELECT old_oid, new_oid FROM reflog WHERE ref = 'refs/heads/busy' ORDER BY id",
    );
    expect(rows.slice(1).map(({ old_oid }) => old_oid)).toEqual(rows.slice(0, -1).map(({ new_oid }) => new_oid));
  });
});
