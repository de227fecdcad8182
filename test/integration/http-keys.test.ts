// Who may do what: the master key, scoped tokens, and what each learns of what it may not see.
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Oid } from "../../src/domain/oid.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { tryGit } from "../support/git.ts";
import { type HttpAnswer, type HttpServer, type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";
import { commitHere } from "../support/local-commit.ts";
import { ManualTime } from "../support/manual-time.ts";

const LIMIT = 40;
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

let http: HttpWorld;
let head: Oid;
const time = new ManualTime();
const lines: string[] = [];

beforeAll(async () => {
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const logger = createLogger({ level: "debug", format: "json", destination });
  http = await openHttpWorld({ clock: time, tokenRateLimit: LIMIT, logger });
  for (const [slug, visibility] of [
    ["mine", "private"],
    ["secret", "private"],
    ["open", "public"],
  ]) {
    await create({ slug, visibility });
  }
  await create({ slug: "mine", namespace: "team" });
  head = await commitHere(http.world.store, await http.world.repository("mine"), { "a.txt": "a\n" });
  await commitHere(http.world.store, await http.world.repository("open"), { "a.txt": "a\n" });
});
afterAll(() => http[Symbol.asyncDispose]());

const create = (body: unknown) => http.ask("/v1/repos", { method: "POST", body });

async function newToken(scopes: Record<string, string[]>, expiresIn?: number): Promise<{ id: string; key: string }> {
  const body = { name: "test", scopes, ...(expiresIn === undefined ? {} : { expires_in: expiresIn }) };
  const answer = await http.ask("/v1/tokens", { method: "POST", body });
  expect(answer.status).toBe(201);
  return { id: String(answer.body.id), key: String(answer.body.token) };
}

type Request = { readonly method?: string; readonly body?: unknown };

function asks(key: string, server: HttpServer = http) {
  return (path: string, request: Request = {}): Promise<HttpAnswer> =>
    server.ask(path, { ...request, headers: { "x-api-key": key } });
}

const codeOf = ({ status, body }: HttpAnswer) => [status, body.code];

describe("a token", () => {
  test("is shown once, and only its hash is stored", async () => {
    const scopes = { "repos:mine": ["read", "write"], "repos:team/mine": ["read"] };
    const made = await http.ask("/v1/tokens", { method: "POST", body: { name: "ci ✓", scopes, expires_in: 3600 } });
    const shown = {
      id: expect.stringMatching(/^tok_/),
      name: "ci ✓",
      key_prefix: String(made.body.token).slice(0, 9),
      scopes,
      expires_at: TIME,
      last_used: null,
      created_at: TIME,
    };
    expect([made.status, made.body]).toEqual([201, { ...shown, token: expect.stringMatching(/^cgt_[\w-]{43}$/) }]);
    const list = await http.ask("/v1/tokens");
    expect(list.body.tokens).toContainEqual({ ...shown, id: made.body.id });
    const { rows } = await http.world.database.query("SELECT t::text AS row FROM api_tokens t");
    expect(JSON.stringify([list.body, rows])).not.toContain(String(made.body.token).slice(9));
  });

  test.each([
    ["no scope", {}],
    ["a scope of something else", { "orgs:mine": ["read"] }],
    ["a scope that names no repository", { "repos:": ["read"] }],
    ["a scope that names a word of the API", { "repos:team/commits": ["read"] }],
    ["a scope with a third part", { "repos:a/b/c": ["read"] }],
    ["a scope with quotes", { "repos:x' OR '1'='1": ["read"] }],
    ["an unknown right", { "repos:mine": ["admin"] }],
    ["no right", { "repos:mine": [] }],
    ["a scope that names a prototype", JSON.parse('{"__proto__": ["read"]}')],
    ["too many scopes", Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`repos:r${n}`, ["read"]]))],
  ])("is not made with %s", async (_, scopes) => {
    const answer = await http.ask("/v1/tokens", { method: "POST", body: { name: "x", scopes } });
    expect(codeOf(answer)).toEqual([400, "INVALID_REQUEST"]);
  });

  test.each([
    ["no name", { scopes: { "repos:*": ["read"] } }],
    ["a blank name", { name: "", scopes: { "repos:*": ["read"] } }],
    ["a NUL in its name", { name: "a\0b", scopes: { "repos:*": ["read"] } }],
    ["a lifetime of nothing", { name: "x", scopes: { "repos:*": ["read"] }, expires_in: 0 }],
    ["a lifetime that is no number", { name: "x", scopes: { "repos:*": ["read"] }, expires_in: "1h" }],
  ])("is not made with %s", async (_, body) => {
    expect(codeOf(await http.ask("/v1/tokens", { method: "POST", body }))).toEqual([400, "INVALID_REQUEST"]);
  });

  test("reads and writes what its scopes name and nothing else", async () => {
    const reader = asks((await newToken({ "repos:mine": ["read"] })).key);
    expect((await reader("/v1/repos/mine")).status).toBe(200);
    expect((await reader("/v1/repos/default/mine/branches")).status).toBe(200);
    expect((await reader("/v1/repos/mine/sync/config")).body).toEqual({ config: null });
    expect((await reader("/v1/repos/mine/sync/history")).status).toBe(200);
    const branch = { method: "POST", body: { name: "b", from_sha: head } };
    expect(codeOf(await reader("/v1/repos/mine/branches", branch))).toEqual([403, "FORBIDDEN"]);
    const writer = asks((await newToken({ "repos:mine": ["write"] })).key);
    expect((await writer("/v1/repos/mine/branches", branch)).status).toBe(201);
    expect((await writer("/v1/repos/mine/branches/b")).status).toBe(200);
    const everywhere = asks((await newToken({ "repos:*": ["read"] })).key);
    expect((await everywhere("/v1/repos/team/mine")).status).toBe(200);
  });

  test("stands in the reflog of what it moves", async () => {
    const { id, key } = await newToken({ "repos:mine": ["write"] });
    await asks(key)("/v1/repos/mine/tags", { method: "POST", body: { name: "by-token", from_sha: head } });
    const { rows } = await http.world.database.query("SELECT actor, reason FROM reflog WHERE ref = 'refs/tags/by-token'");
    expect(rows).toEqual([{ actor: `token:${id}`, reason: "create tag" }]);
  });

  test("does not tell what it may not see from what is not there", async () => {
    const ask = asks((await newToken({ "repos:mine": ["write"] })).key);
    for (const suffix of ["", "/branches", "/refs/heads/main", `/commits/${head}`]) {
      for (const name of ["secret", "team/mine"]) {
        const hidden = await ask(`/v1/repos/${name}${suffix}`);
        const missing = await ask(`/v1/repos/${name.replace("mine", "none").replace("secret", "nothing")}${suffix}`);
        expect(codeOf(hidden)).toEqual([404, "REPOSITORY_NOT_FOUND"]);
        const neutral = (text: unknown) => String(text).replace(/default\/\w+|team\/\w+/, "NAME");
        expect(neutral(hidden.body.error)).toBe(neutral(missing.body.error));
        expect(missing.status).toBe(404);
      }
    }
    const write = { method: "POST", body: { name: "b" } };
    expect(codeOf(await ask("/v1/repos/secret/branches", write))).toEqual([404, "REPOSITORY_NOT_FOUND"]);
    expect(codeOf(await ask("/v1/repos/open/branches", write))).toEqual([403, "FORBIDDEN"]);
    expect((await ask("/v1/repos/open")).status).toBe(200);
  });

  test("reads the runs of what it may read", async () => {
    const sync = await http.world.declare("https://git.example/a.git", { suspend: true }, "mine");
    const sql =
      "INSERT INTO runs (id, sync_id, repository_id, lease_epoch, direction, status) VALUES ($1, $2, $3, 1, 'import', 'skipped')";
    await http.world.database.query(sql, ["run_mine", sync.id, sync.repository.id]);
    await http.world.database.query(sql, ["run_secret", sync.id, (await http.world.repository("secret")).id]);
    const ask = asks((await newToken({ "repos:mine": ["read"] })).key);
    expect(await ask("/v1/runs/run_mine")).toMatchObject({ status: 200, body: { id: "run_mine" } });
    expect(codeOf(await ask("/v1/runs/run_secret"))).toEqual([404, "RUN_NOT_FOUND"]);
    expect(codeOf(await ask("/v1/runs/run_none"))).toEqual([404, "RUN_NOT_FOUND"]);
    expect((await http.ask("/v1/runs/run_secret")).status).toBe(200);
  });

  test("lists the repositories that it may read, in pages", async () => {
    const ask = asks((await newToken({ "repos:mine": ["read"], "repos:team/mine": ["read"] })).key);
    const names: string[] = [];
    for (let cursor: unknown = ""; cursor !== null; ) {
      const { body } = await ask(`/v1/repos?limit=1${cursor === "" ? "" : `&cursor=${String(cursor)}`}`);
      names.push(...(body.repositories as { namespace: string; slug: string }[]).map((r) => `${r.namespace}/${r.slug}`));
      cursor = body.next_cursor;
    }
    expect(names).toEqual(["default/mine", "default/open", "team/mine"]);
  });

  test("may nothing that is the master key's", async () => {
    const ask = asks((await newToken({ "repos:*": ["read", "write"] })).key);
    const refused: [string, Request?][] = [
      ["/v1/tokens"],
      ["/v1/tokens", { method: "POST", body: {} }],
      ["/v1/tokens/tok_1", { method: "DELETE" }],
      ["/v1/repos", { method: "POST", body: { slug: "new" } }],
      ["/v1/repos/mine", { method: "PATCH", body: {} }],
      ["/v1/repos/mine", { method: "DELETE" }],
      ["/v1/repos/mine/sync", { method: "POST", body: {} }],
      ["/v1/repos/none/sync", { method: "POST", body: {} }],
      ["/v1/syncs"],
      ["/v1/connections"],
      ["/v1/runs"],
    ];
    for (const [path, request] of refused) expect([path, ...codeOf(await ask(path, request))]).toEqual([path, 403, "FORBIDDEN"]);
  });

  test("is refused when its time has come", async () => {
    const ask = asks((await newToken({ "repos:mine": ["read"] }, 3600)).key);
    time.advance(3_599_999);
    expect((await ask("/v1/repos/mine")).status).toBe(200);
    time.advance(1);
    const answer = await ask("/v1/repos/mine");
    expect([...codeOf(answer), answer.body.error]).toEqual([401, "UNAUTHORIZED", "The API key has expired."]);
  });

  test("that is revoked is refused by every replica at once", async () => {
    const replica = await http.replica();
    const { id, key } = await newToken({ "repos:mine": ["read"] });
    for (const server of [http, replica]) expect((await asks(key, server)("/v1/repos/mine")).status).toBe(200);
    const revoked = await http.ask(`/v1/tokens/${id}`, { method: "DELETE" });
    expect([revoked.status, revoked.body]).toEqual([200, { id, revoked: true }]);
    for (const server of [replica, http]) {
      expect(codeOf(await asks(key, server)("/v1/repos/mine"))).toEqual([401, "UNAUTHORIZED"]);
    }
    expect(codeOf(await http.ask(`/v1/tokens/${id}`, { method: "DELETE" }))).toEqual([404, "NOT_FOUND"]);
  });

  test("has its use noted once a minute", async () => {
    const { id, key } = await newToken({ "repos:mine": ["read"] });
    const lastUsed = async () => {
      const { rows } = await http.world.database.query<{ last_used_at: Date; xmin: string }>(
        "SELECT last_used_at, xmin FROM api_tokens WHERE id = $1",
        [id],
      );
      return rows[0];
    };
    await asks(key)("/v1/repos/mine");
    const first = await lastUsed();
    expect(first?.last_used_at.getTime()).toBe(time.now());
    time.advance(59_000);
    await asks(key)("/v1/repos/mine");
    expect(await lastUsed()).toEqual(first);
    time.advance(1_000);
    await asks(key)("/v1/repos/mine");
    expect((await lastUsed())?.last_used_at.getTime()).toBe(time.now());
  });
});

describe("a key that is none", () => {
  test.each(["", "cgt_", `cgt_${"A".repeat(43)}`, `cgt_${"A".repeat(42)}'`, `${MASTER_KEY}x`, "ключ".repeat(9)])(
    "%j is refused",
    async (key) => {
      const bytes = Buffer.from(key).toString("latin1");
      expect(codeOf(await asks(bytes)("/v1/repos/mine"))).toEqual([401, "UNAUTHORIZED"]);
    },
  );
});

test("no key is logged, valid or not", async () => {
  const { key } = await newToken({ "repos:mine": ["read"] });
  await asks(key)("/v1/repos/mine");
  await asks(`${key}x`)("/v1/repos/mine");
  await fetch(`${http.url}/mine.git/info/refs`, { headers: { authorization: `Basic ${btoa(`x:${key}y`)}` } });
  const log = lines.join("");
  expect(log).toContain("/mine.git/info/refs");
  for (const secret of [key, key.slice(4, 30), btoa(`x:${key}y`), MASTER_KEY]) expect(log).not.toContain(secret);
});

describe("the limit of a token", () => {
  test("is counted down, refuses with the time to wait, and begins anew with the minute", async () => {
    time.advance(60_000 - (time.now() % 60_000) + 15_000);
    const ask = asks((await newToken({ "repos:mine": ["read"] })).key);
    const first = await ask("/v1/repos/mine");
    const limits = ({ headers }: HttpAnswer) =>
      ["limit", "remaining", "reset"].map((name) => Number(headers.get(`x-ratelimit-${name}`)));
    const reset = Math.ceil(time.now() / 60_000) * 60;
    expect(limits(first)).toEqual([LIMIT, LIMIT - 1, reset]);
    expect(first.headers.get("retry-after")).toBeNull();
    for (let count = 1; count < LIMIT; count += 1) expect((await ask("/v1/repos/none")).status).toBe(404);
    const refused = await ask("/v1/repos/mine");
    expect(codeOf(refused)).toEqual([429, "RATE_LIMIT_EXCEEDED"]);
    expect([...limits(refused), refused.headers.get("retry-after")]).toEqual([LIMIT, 0, reset, "45"]);
    const other = asks((await newToken({ "repos:mine": ["read"] })).key);
    expect((await other("/v1/repos/mine")).status).toBe(200);
    time.advance(45_000);
    expect((await ask("/v1/repos/mine")).status).toBe(200);
  });

  test("is not the master key's", async () => {
    for (let count = 0; count < LIMIT + 3; count += 1) {
      const { status, headers } = await http.ask("/v1/repos/mine");
      expect([status, headers.get("x-ratelimit-limit")]).toEqual([200, null]);
    }
  });
});

describe("git", () => {
  const lsRemote = async (key: string | null, name: string) => {
    const url = key === null ? http.url : http.url.replace("://", `://any:${key}@`);
    return await tryGit(["ls-remote", `${url}/${name}.git`, "refs/heads/main"]);
  };

  test("reads with a token's password what the token may read", async () => {
    time.advance(60_000);
    const { id, key } = await newToken({ "repos:mine": ["read"] });
    const read = await lsRemote(key, "mine");
    expect([read.code, read.stdout.toString()]).toEqual([0, `${head}\trefs/heads/main\n`]);
    expect((await lsRemote(key, "open")).code).toBe(0);
    const hidden = await lsRemote(key, "secret");
    const missing = await lsRemote(key, "nothing");
    expect(hidden.code).not.toBe(0);
    expect(hidden.stderr.replaceAll("secret", "nothing")).toBe(missing.stderr);
    await http.ask(`/v1/tokens/${id}`, { method: "DELETE" });
    expect((await lsRemote(key, "mine")).stderr).toContain("Authentication failed");
  });

  test("reads public repositories without a key, and asks for one for the others", async () => {
    expect((await lsRemote(null, "open")).code).toBe(0);
    for (const name of ["mine", "nothing"]) expect((await lsRemote(null, name)).stderr).toContain("could not read Username");
  });
});
