// Every change of a ref, however it is made, leaves one line in the reflog that says who and why, and wakes who listens.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CHANNELS } from "../../src/db/database.ts";
import type { RefUpdate } from "../../src/repositories/store.ts";
import { type HttpWorld, openHttpWorld } from "../support/http-world.ts";
import { openPushTarget, type PushTarget, type WorkingCopy } from "../support/push-world.ts";
import { createSourceRepository } from "../support/source-repository.ts";
import { serveSource } from "../support/test-remotes.ts";
import { until } from "../support/until.ts";

const HEADS = "refs/heads";

let http: HttpWorld;
let target: PushTarget;
let work: WorkingCopy;
let first: string;
let second: string;
let stack: AsyncDisposableStack;
let woken: string[];
let count = 0;

beforeAll(async () => {
  http = await openHttpWorld();
});
afterAll(() => http[Symbol.asyncDispose]());

beforeEach(async () => {
  count += 1;
  stack = new AsyncDisposableStack();
  target = stack.use(await openPushTarget(http, `moves-${count}`));
  work = stack.use(await target.clone());
  first = await work.commit({ "a.txt": "one\n" });
  second = await work.commit({ "a.txt": "two\n" });
  await work.git("push", "--quiet", "origin", "main", "main~1:refs/heads/old");
  woken = [];
  stack.use(await http.world.database.listen(CHANNELS.refMoved, { onMessage: (id) => woken.push(id), onGap: () => undefined }));
});
afterEach(() => stack.disposeAsync());

/** What `change` leaves in the reflog, once the listeners know. */
async function movesOf(change: () => Promise<unknown>, name = target.name): Promise<unknown[]> {
  const { database } = http.world;
  const last = await database.query<{ id: string }>("SELECT COALESCE(max(id), 0) AS id FROM reflog");
  await change();
  const { id } = await http.world.repository(name);
  await until("the listeners are woken", () => woken.includes(id));
  const sql = "SELECT ref, old_oid, new_oid, actor, reason FROM reflog WHERE repository_id = $1 AND id > $2 ORDER BY id";
  const { rows } = await database.query(sql, [id, last.rows[0]?.id]);
  return rows.map(({ ref, old_oid, new_oid, actor, reason }) => [ref, old_oid, new_oid, actor, reason]);
}

const ask = async (method: string, path: string, body?: unknown) => {
  const { status } = await http.ask(`/v1/repos/${target.name}${path}`, { method, ...(body === undefined ? {} : { body }) });
  expect(status).toBeLessThan(300);
};

describe("a line in the reflog and a call to the listeners come from", () => {
  test("a push of a move, a new ref, and an end at once", async () => {
    const third = await work.commit({ "a.txt": "three\n" });
    const moves = await movesOf(() => work.git("push", "--quiet", "origin", "main", "main:refs/tags/v1", ":old"));
    expect(moves).toHaveLength(3);
    expect(moves).toEqual(
      expect.arrayContaining([
        [`${HEADS}/main`, second, third, "master", "push"],
        [`${HEADS}/old`, first, null, "master", "push"],
        ["refs/tags/v1", null, third, "master", "push"],
      ]),
    );
  });

  test("a commit by the API, on a branch that is there and on a new one", async () => {
    const author = { name: "Ada", email: "ada@example.com" };
    for (const [branch, old] of [
      ["main", second],
      ["new", null],
    ]) {
      woken.length = 0;
      const body = { branch, message: "Change\n\nWhy", author, changes: [{ path: "b", content: "b" }] };
      const moves = await movesOf(() => ask("POST", "/commits", body));
      expect(moves).toEqual([[`${HEADS}/${branch}`, old, expect.any(String), "master", "commit: Change"]]);
    }
  });

  test.each([
    ["a new branch", "POST", "/branches", { name: "b", from: "main" }, [`${HEADS}/b`, "none", "second", "create branch"]],
    ["the end of a branch", "DELETE", "/branches/old", undefined, [`${HEADS}/old`, "first", "none", "delete branch"]],
    ["a new tag", "POST", "/tags", { name: "t", from: "main" }, ["refs/tags/t", "none", "second", "create tag"]],
    ["a new ref", "POST", "/refs", { ref: "refs/x/y", sha: "second" }, ["refs/x/y", "none", "second", "create ref"]],
    ["a moved ref", "PUT", "/refs/heads/old", { sha: "second" }, [`${HEADS}/old`, "first", "second", "update ref"]],
    ["a forced ref", "PUT", "/refs/heads/main", { sha: "first", force: true }, [`${HEADS}/main`, "second", "first", "force ref"]],
    ["the end of a ref", "DELETE", "/refs/heads/old", undefined, [`${HEADS}/old`, "first", "none", "delete ref"]],
  ] as const)("%s by the API", async (_, method, path, body, [ref, old, next, reason]) => {
    const oids: Record<string, string | null> = { first, second, none: null };
    const sent = body !== undefined && "sha" in body ? { ...body, sha: oids[body.sha] } : body;
    const moves = await movesOf(() => ask(method, path, sent));
    expect(moves).toEqual([[ref, oids[old], oids[next], "master", reason]]);
  });

  test("a repository that begins with a README", async () => {
    const slug = `${target.name}-new`;
    const moves = await movesOf(() => http.ask("/v1/repos", { method: "POST", body: { slug, init: true } }), slug);
    expect(moves).toEqual([[`${HEADS}/main`, null, expect.any(String), "master", "create the repository"]]);
  });

  test("an import", async () => {
    await using source = await createSourceRepository();
    await source.commit({ "a.txt": "one\n" });
    await using server = await serveSource(source);
    await using engine = await http.world.startEngine();
    const slug = `${target.name}-copy`;
    expect((await http.ask("/v1/repos", { method: "POST", body: { slug } })).status).toBe(201);
    const moves = await movesOf(async () => {
      const sync = await http.world.declare(server.remoteUrl, {}, slug);
      await http.world.settle(engine, sync);
    }, slug);
    expect(moves).toEqual([[`${HEADS}/main`, null, expect.any(String), expect.stringMatching(/^sync:/), expect.any(String)]]);
  });
});

test("many refs in one publish are moved, made and deleted together, or none of them", async () => {
  const { store } = http.world;
  const repository = await http.world.repository(target.name);
  const publish = (...refs: { name: string; expected: string | null; next: string | null }[]) =>
    store.publish({ repositoryId: repository.id, packs: [], refs: refs as RefUpdate[], actor: "master", reason: "test" });
  const tags = Array.from({ length: 500 }, (_, index) => ({ name: `refs/tags/t${index}`, expected: null, next: first }));
  await publish(...tags, { name: `${HEADS}/old`, expected: first, next: second });
  const moved = { name: `${HEADS}/old`, expected: second, next: null };
  const made = { name: `${HEADS}/new`, expected: null, next: first };
  const ends = tags.map(({ name }) => ({ name, expected: first, next: null }));
  await expect(publish(...ends, moved, { ...made, name: `${HEADS}/main/x` })).rejects.toMatchObject({
    code: "RefNameRefused",
    details: { ref: `${HEADS}/main/x`, conflicting: `${HEADS}/main` },
  });
  await expect(publish(...ends, moved, { ...made, name: `${HEADS}/MAIN` })).rejects.toMatchObject({
    code: "RefNameRefused",
    details: { ref: `${HEADS}/MAIN`, conflicting: `${HEADS}/main` },
  });
  await expect(publish(...ends, moved, { name: `${HEADS}/main`, expected: first, next: second })).rejects.toMatchObject({
    code: "RefMoved",
    details: { ref: `${HEADS}/main`, actual: second },
  });
  await expect(publish(...ends, { name: `${HEADS}/main`, expected: null, next: null })).rejects.toMatchObject({
    code: "RefMoved",
  });
  expect(Object.keys(await target.refs())).toHaveLength(502);
  // What goes makes room for what comes, also where only the case differs.
  await publish(...ends, moved, { ...made, name: `${HEADS}/old/x` }, { name: "refs/tags/T1", expected: null, next: first });
  expect(Object.keys(await target.refs())).toEqual([`${HEADS}/main`, `${HEADS}/old/x`, "refs/tags/T1"]);
});
