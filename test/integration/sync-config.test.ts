// The sync of a repository through the API, field for field as its page has it, against the GitHub double.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../../src/sync/engine.ts";
import { type HttpWorld, openHttpWorld } from "../support/http-world.ts";
import { type GitHubDouble, startGitHub } from "../support/providers/github/start.ts";
import { QUIET_SPEC } from "../support/quiet-spec.ts";

let github: GitHubDouble;
let http: HttpWorld;
let engine: Engine;
let connection = "";

beforeAll(async () => {
  github = await startGitHub();
  http = await openHttpWorld();
  engine = await http.world.startEngine();
  const access_token = github.addToken({ user: "octocat" });
  const body = { provider: "github", label: "My GitHub PAT", access_token, base_url: github.url };
  connection = String((await http.ask("/v1/connections", { method: "POST", body })).body.id);
});
afterAll(async () => {
  await http[Symbol.asyncDispose]();
  await github[Symbol.asyncDispose]();
});

type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** A repository here, with requests below its address. */
async function newRepository(slug: string, namespace = "default") {
  const { status } = await http.ask("/v1/repos", { method: "POST", body: { slug, namespace } });
  expect(status).toBe(201);
  const at = namespace === "default" ? `/v1/repos/${slug}` : `/v1/repos/${namespace}/${slug}`;
  return (method: Method, path: string, body?: unknown) => http.ask(`${at}${path}`, { method, body });
}

const config = (remote: string, more: Record<string, unknown> = {}) => ({ connection_id: connection, remote, ...more });
const FILES = { "README.md": "hi\n", "src/a.txt": "a\n" };

describe("the page's requests", () => {
  test("are answered as it says, from the first to the last", async () => {
    const remote = await github.addRepository("octocat/my-repo", { isPrivate: true, files: FILES });
    const ask = await newRepository("my-repo");
    expect((await ask("GET", "/sync/config")).body).toEqual({ config: null });
    const given = config("octocat/my-repo", { direction: "import", branch: "main", auto_sync: true });
    const made = await ask("POST", "/sync/config", given);
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      id: expect.stringMatching(/^sync_[0-9a-f]+$/),
      repo_id: (await http.world.repository("my-repo")).id,
      ...given,
      provider: "github",
      webhook_id: null,
    });
    const { id } = made.body;
    await engine.drain();
    const head = await remote.readRef("refs/heads/main");
    const shown = {
      id,
      ...given,
      provider: "github",
      last_synced_sha: head,
      last_synced_at: expect.stringMatching(/^20.*Z$/),
      last_error: null,
      last_error_code: null,
      managed_by: null,
      connection: { label: "My GitHub PAT", external_username: "octocat" },
    };
    expect((await ask("GET", "/sync/config")).body).toEqual({ config: shown });

    const upToDate = await ask("POST", "/sync", { sync_id: id });
    const nothing = { synced: false, remote_sha: head, commit_sha: null, files_changed: 0, deleted: 0, direction: "import" };
    expect([upToDate.status, upToDate.body]).toEqual([200, nothing]);

    await remote.commit({ "README.md": "changed\n", "new.txt": "new\n", "src/a.txt": null }, { message: "Change" });
    const next = await remote.readRef("refs/heads/main");
    const plan = await ask("POST", "/sync", { sync_id: id, dry_run: true });
    const changed = { added: 1, modified: 1, deleted: 1, paths: ["README.md", "new.txt", "src/a.txt"], conflicts: [] };
    expect([plan.status, plan.body]).toEqual([200, { plan: changed }]);
    const run = await ask("POST", "/sync", { sync_id: id, branch: "main" });
    expect(run.body).toEqual({
      synced: true,
      remote_sha: next,
      commit_sha: await http.world.head("main", "my-repo"),
      files_changed: 2,
      deleted: 1,
      direction: "import",
    });

    const history = await ask("GET", "/sync/history?limit=2");
    const [latest, planned] = history.body.runs as readonly Record<string, unknown>[];
    expect(history.body.next_cursor).toEqual(expect.any(String));
    expect(latest).toMatchObject({ status: "success", remote_sha: next, commit_sha: run.body.commit_sha });
    expect((await http.ask(`/v1/runs/${planned?.id}/plan`)).body).toEqual({ plan: changed });
    expect((await http.ask(`/v1/runs/${latest?.id}/plan`)).body).toEqual({ plan: { ...changed, paths: [] } });

    expect((await ask("PATCH", "/sync/config", { auto_sync: false })).body).toEqual({ updated: true });
    expect((await ask("DELETE", "/sync/config")).body).toEqual({ deleted: true });
    expect((await ask("GET", "/sync/config")).body).toEqual({ config: null });
    expect((await ask("GET", "/sync/history")).body.runs).not.toEqual([]);
    expect((await ask("POST", "/sync", { sync_id: id })).status).toBe(404);
  });
});

describe("a new sync", () => {
  test("has defaults, also in another namespace than the connection", async () => {
    await github.addRepository("octocat/defaults", { files: FILES });
    const ask = await newRepository("defaults", "team");
    const { body } = await ask("POST", "/sync/config", config("octocat/defaults"));
    expect(body).toMatchObject({ direction: "import", branch: "main", auto_sync: false });
    await engine.drain();
    expect((await ask("GET", "/sync/config")).body.config).toMatchObject({ last_error: null, connection_id: connection });
    expect((await ask("DELETE", "/sync/config")).status).toBe(200);
  });

  test("is the only one of its repository, however many ask at once", async () => {
    await github.addRepository("octocat/once", { files: FILES });
    const ask = await newRepository("once");
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask("POST", "/sync/config", config("octocat/once"))));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array.from({ length: 7 }, () => 409)]);
    const refused = answers.find(({ status }) => status === 409)?.body;
    expect([refused?.code, refused?.syncs]).toEqual(["SYNC_EXISTS", [answers.find(({ status }) => status === 201)?.body.id]]);
    await engine.drain();
  });

  test.each([
    ["an unknown connection", { connection_id: "conn_none" }, 422, "CONNECTION_MISSING"],
    ["a remote that GitHub cannot have", { remote: "not-owner-and-repo" }, 422, "INVALID_SPEC"],
    ["a remote on another server", { remote: "https://elsewhere.example.com/a/b" }, 422, "INVALID_SPEC"],
    ["a remote with a login in it", { remote: "https://u:s3cret@github.com/a/b" }, 400, "INVALID_REQUEST"],
    ["a branch that git refuses", { branch: "a..b" }, 400, "INVALID_REQUEST"],
    ["another direction", { direction: "both" }, 400, "INVALID_REQUEST"],
    ["an unknown field", { interval: "5m" }, 400, "INVALID_REQUEST"],
  ])("with %s is refused, and nothing is made", async (name, wrong, status, code) => {
    const ask = await newRepository(`refused-${name.toLowerCase().replaceAll(/\W/g, "-")}`);
    const answer = await ask("POST", "/sync/config", { ...config("octocat/x"), ...wrong });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(JSON.stringify(answer.body)).not.toContain("s3cret");
    expect((await ask("GET", "/sync/config")).body).toEqual({ config: null });
  });
});

describe("a change", () => {
  test("of remote, direction or branch starts a new baseline, of the rest does not", async () => {
    await github.addRepository("octocat/one", { files: FILES });
    const other = await github.addRepository("octocat/other", { files: { "other.txt": "o\n" } });
    const ask = await newRepository("baseline");
    const { id } = (await ask("POST", "/sync/config", config("octocat/one"))).body;
    await engine.drain();
    const points = async () =>
      (await http.world.database.query("SELECT 1 FROM sync_points WHERE sync_id = $1", [id])).rows.length;
    expect(await points()).toBe(1);
    expect((await ask("PATCH", "/sync/config", { auto_sync: true })).body).toEqual({ updated: true });
    expect((await ask("PATCH", "/sync/config", {})).body).toEqual({ updated: true });
    expect(await points()).toBe(1);
    await engine[Symbol.asyncDispose]();
    for (const change of [{ remote: "octocat/other" }, { direction: "export" }, { direction: "import" }, { branch: "develop" }]) {
      await http.world.database.query("INSERT INTO sync_points SELECT $1, 'x', 'x', repeat('0', 40), repeat('0', 40), ''", [id]);
      expect((await ask("PATCH", "/sync/config", change)).body).toEqual({ updated: true });
      expect([change, await points()]).toEqual([change, 0]);
    }
    await ask("PATCH", "/sync/config", { branch: "main" });
    engine = await http.world.startEngine();
    await engine.drain();
    const { body } = await ask("GET", "/sync/config");
    expect(body.config).toMatchObject({ remote: "octocat/other", last_synced_sha: await other.readRef("refs/heads/main") });
    expect(await http.world.git(["ls-tree", "--name-only", "main"], "baseline")).toBe("README.md\nother.txt\nsrc");
  });

  test("to a remote that cannot be one is refused and changes nothing", async () => {
    await github.addRepository("octocat/kept", { files: FILES });
    const ask = await newRepository("kept-remote");
    await ask("POST", "/sync/config", config("octocat/kept"));
    await engine.drain();
    expect((await ask("PATCH", "/sync/config", { remote: "nothing" })).body.code).toBe("INVALID_SPEC");
    expect((await ask("GET", "/sync/config")).body.config).toMatchObject({ remote: "octocat/kept" });
  });
});

describe("what belongs to others", () => {
  test("a sync of a resource answers writes with its owner, and is triggered all the same", async () => {
    await github.addRepository("octocat/managed", { files: FILES });
    const ask = await newRepository("managed");
    const sync = await http.world.declarations.declareSync({
      owner: { kind: "resource", ref: "uid-managed" },
      namespace: "default",
      name: "managed",
      repository: "managed",
      connection: null,
      spec: { ...QUIET_SPEC, remote: `${github.url}/octocat/managed.git` },
    });
    await engine.drain();
    for (const { status, body } of [await ask("PATCH", "/sync/config", { branch: "x" }), await ask("DELETE", "/sync/config")]) {
      expect([status, body.code, body.managed_by]).toEqual([409, "MANAGED", "RepoSync default/managed"]);
    }
    expect((await ask("GET", "/sync/config")).body.config).toMatchObject({ id: sync.id, managed_by: "RepoSync default/managed" });
    expect((await ask("POST", "/sync", { sync_id: sync.id })).body).toMatchObject({ synced: false });
  });

  test("a sync of another repository is not found", async () => {
    await github.addRepository("octocat/mine", { files: FILES });
    const mine = await newRepository("mine");
    const theirs = await newRepository("theirs");
    const { id } = (await mine("POST", "/sync/config", config("octocat/mine"))).body;
    const { status, body } = await theirs("POST", "/sync", { sync_id: id });
    expect([status, body.code]).toEqual([404, "SYNC_NOT_FOUND"]);
    await engine.drain();
  });

  test("writing is for the master key, reading for any key of the repository", async () => {
    const ask = await newRepository("keys");
    const token = { name: "t", scopes: { "repos:keys": ["read", "write"] } };
    const key = String((await http.ask("/v1/tokens", { method: "POST", body: token })).body.token);
    const headers = { "x-api-key": key };
    const status = async (method: Method, path: string, body?: unknown) =>
      (await http.ask(`/v1/repos/keys${path}`, { method, headers, body })).status;
    expect(await status("GET", "/sync/config")).toBe(200);
    expect(await status("GET", "/sync/history")).toBe(200);
    expect(await status("POST", "/sync/config", config("a/b"))).toBe(403);
    expect(await status("PATCH", "/sync/config", {})).toBe(403);
    expect(await status("DELETE", "/sync/config")).toBe(403);
    expect(await status("POST", "/sync", { sync_id: "sync_none" })).toBe(403);
    expect((await ask("DELETE", "/sync/config")).body.code).toBe("SYNC_NOT_FOUND");
  });
});

test("a sync whose connection is deleted with it is gone, and a GitHub App's imports", async () => {
  const repository = await github.addRepository("acme/app-repo", { isPrivate: true, files: FILES });
  const made = github.addApp({ permissions: { contents: "read" } });
  const installation = github.installApp(made, "acme", [repository]);
  const app = { id: made.id, installation_id: installation.id, private_key: made.privateKeyPem };
  const body = { provider: "github", label: "App", app, base_url: github.url };
  const { id } = (await http.ask("/v1/connections", { method: "POST", body })).body;
  const ask = await newRepository("app-repo");
  await ask("POST", "/sync/config", { connection_id: id, remote: "acme/app-repo" });
  await engine.drain();
  expect((await ask("GET", "/sync/config")).body.config).toMatchObject({
    last_error: null,
    last_synced_sha: await repository.readRef("refs/heads/main"),
  });
  expect((await http.ask(`/v1/connections/${id}?cascade=true`, { method: "DELETE" })).status).toBe(200);
  expect((await ask("GET", "/sync/config")).body).toEqual({ config: null });
});

test("another process on the same database goes on with what was declared", async () => {
  const remote = await github.addRepository("octocat/restart", { files: FILES });
  const ask = await newRepository("restart");
  const { id } = (await ask("POST", "/sync/config", config("octocat/restart"))).body;
  await engine.drain();
  await remote.commit({ "later.txt": "later\n" }, { message: "Later" });
  const other = await http.replica();
  const answer = await other.ask("/v1/repos/restart/sync", { method: "POST", body: { sync_id: id } });
  expect(answer.body).toMatchObject({ synced: true, files_changed: 1, remote_sha: await remote.readRef("refs/heads/main") });
});
