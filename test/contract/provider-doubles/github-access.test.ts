// Who is let in at the GitHub double, what they are told about it, and what they may spend.
import { createSign } from "node:crypto";
import { Octokit } from "octokit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ManualTime } from "../../support/manual-time.ts";
import type { GitHubRepository } from "../../support/providers/github/repository.ts";
import { type GitHubDouble, startGitHub } from "../../support/providers/github/start.ts";
import { plainClient } from "../../support/providers/plain-client.ts";

const HOUR_MS = 3_600_000;

let clock: ManualTime;
let github: GitHubDouble;
let repository: GitHubRepository;

beforeEach(async () => {
  clock = new ManualTime();
  github = await startGitHub({ clock });
  repository = await github.addRepository("octocat/hello", { isPrivate: true, files: { a: "1" } });
});
afterEach(() => github[Symbol.asyncDispose]());

const client = (token: string | null) => plainClient(github.url, token);
const owner = (more: object = {}) => client(github.addToken({ user: "octocat", ...more }));
const PATH = "/repos/octocat/hello";
const BLOB = { content: "x" };

describe("credentials", () => {
  test("that are unknown, revoked or expired are 401", async () => {
    expect(await client("nonsense")("GET", "/user")).toMatchObject({ status: 401, json: { message: "Bad credentials" } });
    const token = github.addToken({ user: "octocat", expiresAtMs: clock.now() + 1_000 });
    const own = await client(token)("GET", "/user");
    expect(own).toMatchObject({ status: 200, json: { login: "octocat", id: repository.owner.id } });
    expect(own.headers.get("github-authentication-token-expiration")).toMatch(/^1970-01-01 00:16:41 UTC$/);
    clock.advance(1_000);
    expect((await client(token)("GET", "/user")).status).toBe(401);
    const revoked = github.addToken({ user: "octocat" });
    github.revokeToken(revoked);
    expect((await client(revoked)("GET", PATH)).status).toBe(401);
  });

  test("without access to a private repository are told that there is none", async () => {
    const missing = { status: 404, json: { message: "Not Found", status: "404" } };
    expect(await client(null)("GET", PATH)).toMatchObject(missing);
    expect(await client(github.addToken({ user: "stranger" }))("GET", PATH)).toMatchObject(missing);
    expect(await owner({ scopes: ["public_repo"] })("GET", PATH)).toMatchObject(missing);
    expect(await owner()("GET", "/repos/octocat/nothing")).toMatchObject(missing);
  });

  test("of the classic kind tell their scopes, and a collaborator's role bounds them", async () => {
    const answer = await owner({ scopes: ["repo", "workflow"] })("GET", PATH);
    expect(answer.headers.get("x-oauth-scopes")).toBe("repo, workflow");
    expect(answer.json).toMatchObject({ permissions: { push: true, admin: true } });
    repository.collaborators.set("reader", "read");
    const reader = client(github.addToken({ user: "reader" }));
    expect((await reader("GET", PATH)).json).toMatchObject({ permissions: { pull: true, push: false } });
    expect((await reader("POST", `${PATH}/git/blobs`, BLOB)).status).toBe(404);
    expect((await reader("GET", `${PATH}/hooks`)).status).toBe(404);
    const hooksAlone = owner({ scopes: ["admin:repo_hook"] });
    expect([(await hooksAlone("GET", `${PATH}/hooks`)).status, (await hooksAlone("GET", PATH)).status]).toEqual([200, 404]);
  });

  test("of the fine-grained kind hear which permission they lack", async () => {
    const fine = github.addToken({ user: "octocat", kind: "fine-grained", permissions: { contents: "read" } });
    expect((await client(fine)("GET", `${PATH}/git/ref/heads/main`)).status).toBe(200);
    const refused = await client(fine)("POST", `${PATH}/git/blobs`, BLOB);
    expect(refused).toMatchObject({ status: 403, json: { message: "Resource not accessible by personal access token" } });
    expect(refused.headers.get("x-accepted-github-permissions")).toBe("contents=write");
    expect(refused.headers.get("x-oauth-scopes")).toBeNull();
    const other = await github.addRepository("octocat/other", { isPrivate: true });
    const chosen = github.addToken({
      user: "octocat",
      kind: "fine-grained",
      permissions: { contents: "read" },
      repositories: [other],
    });
    expect((await client(chosen)("GET", PATH)).status).toBe(404);
  });

  test("that an organization has not authorized hear of single sign-on", async () => {
    repository.requiresSso = true;
    const refused = await owner()("GET", PATH);
    expect(refused.status).toBe(403);
    expect(refused.headers.get("x-github-sso")).toMatch(/^required; url=https:/);
    expect((await owner({ authorizedFor: ["octocat"] })("GET", PATH)).status).toBe(200);
  });

  test("need a user agent beside them", async () => {
    expect((await client(null)("GET", "/meta", undefined, { "user-agent": "" })).status).toBe(403);
  });

  test("in a query are a violation", async () => {
    await client(null)("GET", "/meta?access_token=secret");
    expect(github.takeViolations()).toMatchObject([{ kind: "tokenInUrl" }]);
    expect(JSON.stringify(github.requests)).not.toContain("secret");
  });
});

describe("Apps", () => {
  const jwt = (appId: number, key: string, times: { iat: number; exp: number }): string => {
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const head = `${encode({ alg: "RS256", typ: "JWT" })}.${encode({ iss: appId, ...times })}`;
    return `${head}.${createSign("RSA-SHA256").update(head).sign(key, "base64url")}`;
  };
  const now = () => Math.floor(clock.now() / 1000);

  test("get tokens of one hour, long and with dots, for what they may", async () => {
    const app = github.addApp({ permissions: { contents: "write", metadata: "read" } });
    const { id } = github.installApp(app, "octocat", [repository]);
    const ask = client(jwt(app.id, app.privateKeyPem, { iat: now(), exp: now() + 540 }));
    expect((await ask("GET", `/app/installations/${id}`)).json).toMatchObject({ account: { login: "octocat" } });
    const minted = await ask("POST", `/app/installations/${id}/access_tokens`);
    const { token } = minted.json as { token: string };
    expect([minted.status, token.length]).toEqual([201, 4 + 4 + 1 + 80 + 1 + 330 + 1 + 86]);
    expect((await client(token)("POST", `${PATH}/git/blobs`, BLOB)).status).toBe(201);
    expect(await client(token)("GET", `${PATH}/hooks`)).toMatchObject({
      status: 403,
      json: { message: "Resource not accessible by integration" },
    });
    expect((await client(token)("GET", "/user")).status).toBe(403);
    await github.addRepository("stranger/private", { isPrivate: true });
    const everywhere = github.installApp(app, "octocat");
    const wide = (await ask("POST", `/app/installations/${everywhere.id}/access_tokens`)).json as { token: string };
    expect((await client(wide.token)("GET", PATH)).status).toBe(200);
    expect((await client(wide.token)("GET", "/repos/stranger/private")).status).toBe(404);
    clock.advance(HOUR_MS);
    expect((await client(token)("GET", PATH)).status).toBe(401);
  });

  test("are refused with a foreign key, stale or far claims, and while suspended", async () => {
    const app = github.addApp({ permissions: { metadata: "read" } });
    const installation = github.installApp(app, "octocat");
    const other = github.addApp({ permissions: {} });
    const post = (token: string) => client(token)("POST", `/app/installations/${installation.id}/access_tokens`);
    const good = { iat: now(), exp: now() + 60 };
    expect((await post(jwt(app.id, other.privateKeyPem, good))).status).toBe(401);
    expect((await post(jwt(app.id, app.privateKeyPem, { iat: now(), exp: now() }))).status).toBe(401);
    expect((await post(jwt(app.id, app.privateKeyPem, { iat: now(), exp: now() + 3600 }))).status).toBe(401);
    expect((await post(jwt(app.id, app.privateKeyPem, { iat: now() + 120, exp: now() + 300 }))).status).toBe(401);
    expect((await post(jwt(other.id, other.privateKeyPem, good))).status).toBe(404);
    installation.isSuspended = true;
    expect((await post(jwt(app.id, app.privateKeyPem, good))).status).toBe(403);
  });
});

describe("rate limits", () => {
  test("stand in the headers of every answer, refusals too, and are one budget for all tokens of a user", async () => {
    const one = await owner()("GET", PATH);
    expect(Object.fromEntries([...one.headers].filter(([name]) => name.startsWith("x-ratelimit-")))).toEqual({
      "x-ratelimit-limit": "5000",
      "x-ratelimit-remaining": "4999",
      "x-ratelimit-used": "1",
      "x-ratelimit-reset": String(clock.now() / 1000 + 3600),
      "x-ratelimit-resource": "core",
    });
    const two = await owner()("GET", `${PATH}/git/ref/heads/nowhere`);
    expect([two.status, two.headers.get("x-ratelimit-remaining")]).toEqual([404, "4998"]);
    expect((await owner()("GET", "/rate_limit")).json).toMatchObject({ rate: { used: 2, remaining: 4998 } });
  });

  test.each([403, 429] as const)("of the hour end in %i until they are reset", async (status) => {
    Object.assign(github.limits, { coreHourly: 2, refusalStatus: status });
    const call = owner();
    for (let count = 0; count < 2; count += 1) expect((await call("GET", PATH)).status).toBe(200);
    const refused = await call("GET", PATH);
    expect(refused).toMatchObject({ status, json: { message: expect.stringContaining("API rate limit exceeded") } });
    expect([refused.headers.get("x-ratelimit-remaining"), refused.headers.get("retry-after")]).toEqual(["0", null]);
    expect((await call("GET", "/rate_limit")).json).toMatchObject({ rate: { remaining: 0 } });
    clock.advance(HOUR_MS);
    expect((await call("GET", PATH)).status).toBe(200);
  });

  test("of a minute count five points for a write", async () => {
    github.limits.pointsPerMinute = 7;
    const call = owner();
    expect((await call("POST", `${PATH}/git/blobs`, BLOB)).status).toBe(201);
    const refused = await call("POST", `${PATH}/git/blobs`, BLOB);
    expect(refused).toMatchObject({ status: 403, json: { message: expect.stringContaining("secondary rate limit") } });
    expect(refused.headers.get("retry-after")).toBe("60");
    clock.advance(60_000);
    expect((await call("POST", `${PATH}/git/blobs`, BLOB)).status).toBe(201);
  });

  test("of content bind what creates some, where they are switched on", async () => {
    github.limits.contentPerMinute = 1;
    const call = owner();
    await call("POST", `${PATH}/git/blobs`, BLOB);
    expect((await call("POST", `${PATH}/git/blobs`, BLOB)).status).toBe(403);
  });

  test("refuse more than so many requests at once", async () => {
    github.limits.concurrent = 3;
    const call = owner();
    const statuses = await Promise.all(
      Array.from({ length: 12 }, async () => (await call("GET", `${PATH}/commits/main`)).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200, 403]));
    expect(github.highWater).toBeGreaterThan(3);
  });

  test.each([60, null])(
    "can be ordered with Retry-After %s, and asking before their end is a violation",
    async (retryAfterSeconds) => {
      const token = github.addToken({ user: "octocat" });
      github.throttle(token, { kind: "secondary", status: 429, retryAfterSeconds });
      const first = await client(token)("GET", PATH);
      expect([first.status, first.headers.get("retry-after")]).toEqual([429, retryAfterSeconds === null ? null : "60"]);
      expect(github.takeViolations()).toEqual([]);
      github.budgets.throttling.graceMs = 0;
      expect((await client(token)("GET", PATH)).status).toBe(429);
      expect(github.takeViolations()).toMatchObject([{ kind: "impolite" }]);
      clock.advance(60_000);
      expect((await client(token)("GET", PATH)).status).toBe(200);
    },
  );

  test("are off on an Enterprise server, which tells its version", async () => {
    await using enterprise = await startGitHub({ clock, enterpriseVersion: "3.17.0" });
    const token = enterprise.addToken({ user: "octocat" });
    const answer = await plainClient(enterprise.enterpriseApiUrl, token)("GET", "/user");
    expect([answer.status, answer.headers.get("x-ratelimit-limit"), answer.headers.get("x-github-enterprise-version")]).toEqual([
      200,
      null,
      "3.17.0",
    ]);
    expect((await plainClient(enterprise.enterpriseApiUrl, token)("GET", "/rate_limit")).status).toBe(404);
  });
});

describe("a repository that moved", () => {
  test("redirects reads with 301 and writes with 307 to its number, which always works", async () => {
    const call = owner();
    github.moveRepository(repository, "octocat/renamed");
    const read = await call("GET", `${PATH}/branches/main`);
    const numbered = `${github.url}/repositories/${repository.id}`;
    expect([read.status, read.headers.get("location")]).toEqual([301, `${numbered}/branches/main`]);
    expect(read.json).toMatchObject({ message: "Moved Permanently", url: `${numbered}/branches/main` });
    expect((await call("POST", `${PATH}/git/blobs`, BLOB)).status).toBe(307);
    expect((await call("GET", `/repositories/${repository.id}`)).json).toMatchObject({ full_name: "octocat/renamed" });
    const octokit = new Octokit({ auth: github.addToken({ user: "octocat" }), baseUrl: github.url });
    const { data } = await octokit.rest.repos.get({ owner: "octocat", repo: "hello" });
    expect(data.id).toBe(repository.id);
  });

  test("is another one when somebody takes its name", async () => {
    github.moveRepository(repository, "octocat/renamed");
    const other = await github.addRepository("octocat/hello");
    expect((await owner()("GET", PATH)).json).toMatchObject({ id: other.id });
  });
});

test("what is not JSON or not what the route takes is refused before anything is done", async () => {
  const call = owner();
  expect(await call("POST", `${PATH}/git/blobs`, "{")).toMatchObject({ status: 400, json: { message: "Problems parsing JSON" } });
  expect(await call("POST", `${PATH}/git/refs`, { ref: "refs/heads/x" })).toMatchObject({
    status: 422,
    json: { message: 'Invalid request.\n\n"sha" wasn\'t supplied.' },
  });
  expect((await call("GET", `${PATH}/`)).status).toBe(404);
});

test("an answer that breaks GitHub's own schema is loud and fails the test", async () => {
  const double = await startGitHub();
  const broken = await double.addRepository("octocat/hello", { files: { a: "1" } });
  Object.defineProperty(broken, "name", { value: 7 });
  const answer = await plainClient(double.url, double.addToken({ user: "octocat" }))("GET", "/repos/octocat/7");
  expect([answer.status, answer.text]).toEqual([500, expect.stringContaining("breaks GitHub's schema")]);
  await expect(double[Symbol.asyncDispose]()).rejects.toThrow("schema: GET /repos/{owner}/{repo} 200: data/name must be string");
});
