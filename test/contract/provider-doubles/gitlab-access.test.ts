// Who is let in at the GitLab double, what can be read, and what one may spend.
import { Gitlab } from "@gitbeaker/rest";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ManualTime } from "../../support/manual-time.ts";
import type { GitLabProject } from "../../support/providers/gitlab/project.ts";
import { type GitLabDouble, startGitLab } from "../../support/providers/gitlab/start.ts";
import { plainClient } from "../../support/providers/plain-client.ts";

let clock: ManualTime;
let gitlab: GitLabDouble;
let project: GitLabProject;

beforeEach(async () => {
  clock = new ManualTime();
  gitlab = await startGitLab({ clock });
  project = await gitlab.addProject("group/sub/a.project", {
    isPrivate: true,
    files: { a: "1", "dir/b": "2", "dir/run": { mode: "100755", content: "x" } },
    members: { dev: "developer", reporter: "reporter" },
  });
});
afterEach(() => gitlab[Symbol.asyncDispose]());

const client = (token: string | null) => plainClient(`${gitlab.url}/api/v4`, token);
const owner = () => client(gitlab.addToken({ user: "group" }));
const PATH = "/projects/group%2Fsub%2Fa.project";

describe("tokens", () => {
  test("come as bearer and as private token, and tell about themselves", async () => {
    const token = gitlab.addToken({ user: "group", scopes: ["api", "read_user"], expiresAtMs: clock.now() + 86_400_000 });
    expect((await client(token)("GET", "/user")).json).toMatchObject({ username: "group" });
    expect((await client(null)("GET", "/user", undefined, { "private-token": token })).status).toBe(200);
    expect((await client(token)("GET", "/personal_access_tokens/self")).json).toMatchObject({
      scopes: ["api", "read_user"],
      revoked: false,
      expires_at: "1970-01-02",
    });
    const oauth = gitlab.addToken({ user: "group", kind: "oauth" });
    expect((await client(oauth)("GET", "/personal_access_tokens/self")).status).toBe(401);
  });

  test("that are unknown are 401 in other words than those that have ended", async () => {
    expect(await client("nonsense")("GET", "/user")).toMatchObject({ status: 401, json: { message: "401 Unauthorized" } });
    const token = gitlab.addToken({ user: "group", expiresAtMs: clock.now() + 1 });
    clock.advance(1);
    expect(await client(token)("GET", "/user")).toMatchObject({ status: 401, json: { error: "invalid_token" } });
    const revoked = gitlab.addToken({ user: "group" });
    gitlab.revokeToken(revoked);
    expect(await client(revoked)("GET", "/user")).toMatchObject({ status: 401, json: { error: "invalid_token" } });
  });

  test("without access hear 404, without scope or role 403", async () => {
    const missing = { status: 404, json: { message: "404 Project Not Found" } };
    expect(await client(null)("GET", PATH)).toMatchObject(missing);
    expect(await client(gitlab.addToken({ user: "stranger" }))("GET", PATH)).toMatchObject(missing);
    const weak = gitlab.addToken({ user: "group", scopes: ["read_user"] });
    expect(await client(weak)("GET", PATH)).toMatchObject({
      status: 403,
      json: { error: "insufficient_scope", scope: "api read_api" },
    });
    const dev = gitlab.addToken({ user: "dev" });
    expect(await client(dev)("POST", `${PATH}/hooks`, { url: "http://127.0.0.1:1" })).toMatchObject({
      status: 403,
      json: { message: "403 Forbidden" },
    });
    expect(
      (await client(gitlab.addToken({ user: "reporter" }))("POST", `${PATH}/repository/branches?branch=x&ref=main`)).status,
    ).toBe(403);
  });
});

describe("a project", () => {
  test("is found by number and by its whole encoded path, and not by a plain one", async () => {
    expect((await owner()("GET", `/projects/${project.id}`)).json).toMatchObject({ path_with_namespace: "group/sub/a.project" });
    expect((await owner()("GET", PATH)).json).toMatchObject({ id: project.id });
    expect((await owner()("GET", "/projects/group/sub/a.project")).status).toBe(404);
    expect((await owner()("GET", "/projects/group%252Fsub%252Fa.project")).status).toBe(404);
  });

  test("that moved redirects reads to its number and takes no writes by its old path", async () => {
    gitlab.moveProject(project, "group/new");
    const read = await owner()("GET", `${PATH}/repository/branches/main?x=1`);
    expect([read.status, read.headers.get("location")]).toEqual([
      301,
      `${gitlab.url}/api/v4/projects/${project.id}/repository/branches/main?x=1`,
    ]);
    expect((await owner()("POST", `${PATH}/hooks`, { url: "http://127.0.0.1:1" })).status).toBe(405);
    const api = new Gitlab({ host: gitlab.url, oauthToken: gitlab.addToken({ user: "group" }) });
    expect((await api.Projects.show("group/sub/a.project")).id).toBe(project.id);
  });
});

describe("reading", () => {
  test("a tree goes by keys or by pages", async () => {
    const tree = (query: string) => owner()("GET", `${PATH}/repository/tree?recursive=true&per_page=2${query}`);
    const first = await tree("&pagination=keyset");
    expect(first.json).toMatchObject([
      { path: "a", mode: "100644", type: "blob" },
      { path: "dir", type: "tree" },
    ]);
    const [, next = ""] = /<([^>]+)>; rel="next"/.exec(first.headers.get("link") ?? "") ?? [];
    const second = await owner()("GET", next.slice(`${gitlab.url}/api/v4`.length));
    expect(second.json).toMatchObject([{ path: "dir/b" }, { path: "dir/run", mode: "100755" }]);
    expect(second.headers.get("link")).toBeNull();
    expect((await tree("")).headers.get("x-next-page")).toBe("2");
    const api = new Gitlab({ host: gitlab.url, oauthToken: gitlab.addToken({ user: "group" }) });
    expect(
      await api.Repositories.allRepositoryTrees(project.id, { recursive: true, perPage: 1, pagination: "keyset" }),
    ).toHaveLength(4);
    expect(await owner()("GET", `${PATH}/repository/tree?path=nowhere`)).toMatchObject({
      status: 404,
      json: { message: "404 invalid revision or path Not Found" },
    });
  });

  test("a branch may lag behind", async () => {
    const before = await project.head();
    const after = await project.commit({ a: "2" });
    project.lag(1);
    const read = async () =>
      ((await owner()("GET", `${PATH}/repository/branches/main`)).json as { commit: { id: string } }).commit.id;
    expect([await read(), await read()]).toEqual([before, after]);
  });

  test("a file, raw or in JSON, and a blob", async () => {
    const file = await owner()("GET", `${PATH}/repository/files/dir%2Frun?ref=main`);
    expect(file.json).toMatchObject({ content: "eA==", execute_filemode: true, last_commit_id: await project.head() });
    expect((await owner()("GET", `${PATH}/repository/files/dir%2Frun/raw`)).text).toBe("x");
    const { blob_id } = file.json as { blob_id: string };
    expect((await owner()("GET", `${PATH}/repository/blobs/${blob_id}/raw`)).text).toBe("x");
    expect((await owner()("GET", `${PATH}/repository/files/no?ref=main`)).json).toEqual({ message: "404 File Not Found" });
  });

  test("branches are made once and deleted unless protected", async () => {
    const make = () => owner()("POST", `${PATH}/repository/branches?branch=new%2Fone&ref=main`);
    expect(await make()).toMatchObject({ status: 201, json: { name: "new/one" } });
    expect(await make()).toMatchObject({ status: 400, json: { message: "Branch already exists" } });
    expect((await owner()("DELETE", `${PATH}/repository/branches/new%2Fone`)).status).toBe(204);
    expect((await owner()("DELETE", `${PATH}/repository/branches/new%2Fone`)).status).toBe(404);
  });

  test("an archive is refused to fetch as it is, and above its own limit without a word of when", async () => {
    gitlab.limits.archivesPerMinute = 1;
    const headers = { authorization: `Bearer ${gitlab.addToken({ user: "group" })}` };
    const archive = (mode: "cors" | "same-origin") =>
      fetch(`${gitlab.url}/api/v4${PATH}/repository/archive.tar.gz`, { headers, mode });
    expect((await archive("cors")).status).toBe(406);
    expect((await archive("same-origin")).status).toBe(200);
    const limited = await archive("same-origin");
    expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, null]);
    expect(Number(limited.headers.get("ratelimit-remaining"))).toBeGreaterThan(0);
  });
});

describe("rate limits", () => {
  test("stand in every answer, and end in plain text with Retry-After", async () => {
    gitlab.limits.requestsPerMinute = 2;
    const call = owner();
    const first = await call("GET", PATH);
    expect([first.headers.get("ratelimit-limit"), first.headers.get("ratelimit-remaining")]).toEqual(["2", "1"]);
    await call("GET", PATH);
    const refused = await call("GET", PATH);
    expect([refused.status, refused.text, refused.headers.get("content-type")]).toEqual([429, "Retry later\n", "text/plain"]);
    expect(refused.headers.get("retry-after")).toBe("60");
    expect(refused.headers.get("ratelimit-resettime")).toMatch(/GMT$/);
    clock.advance(60_000);
    expect((await call("GET", PATH)).status).toBe(200);
  });

  test("can be ordered, and asking before their end is a violation", async () => {
    const token = gitlab.addToken({ user: "group" });
    gitlab.throttle(token, 5);
    expect((await client(token)("GET", PATH)).headers.get("retry-after")).toBe("5");
    gitlab.world.budgets.throttling.graceMs = 0;
    expect((await client(token)("GET", PATH)).status).toBe(429);
    expect(gitlab.takeViolations()).toMatchObject([{ kind: "impolite" }]);
    clock.advance(5_000);
    expect((await client(token)("GET", PATH)).status).toBe(200);
  });
});
