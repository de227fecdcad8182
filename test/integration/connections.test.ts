// Connections through the API, with the GitHub double as the provider: as an operator with curl meets them.
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLogger } from "../../src/telemetry/log.ts";
import { type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";
import { type GitHubDouble, startGitHub } from "../support/providers/github/start.ts";
import { QUIET_SPEC, TEST_KEYS } from "../support/quiet-spec.ts";

let github: GitHubDouble;
let http: HttpWorld;
const logged: string[] = [];
const log = new Writable({
  write(chunk, _encoding, done) {
    logged.push(String(chunk));
    done();
  },
});

beforeAll(async () => {
  github = await startGitHub();
  http = await openHttpWorld({ logger: createLogger({ level: "trace", format: "json", destination: log }) });
});
afterAll(async () => {
  await http[Symbol.asyncDispose]();
  await github[Symbol.asyncDispose]();
});

const PATH = "/v1/connections";
const post = (body: unknown, path = PATH) => http.ask(path, { method: "POST", body });
const patch = (id: unknown, body: unknown) => http.ask(`${PATH}/${id}`, { method: "PATCH", body });
const remove = (id: unknown, query = "") => http.ask(`${PATH}/${id}${query}`, { method: "DELETE" });
const newToken = (user = "octocat") => github.addToken({ user, scopes: ["repo"] });

async function connect(access_token = newToken()) {
  const { status, body } = await post({ provider: "github", label: "Sync Token", access_token, base_url: github.url });
  expect([status, body.error]).toEqual([201, undefined]);
  return String(body.id);
}

/** Makes a sync that uses the connection, without a run. */
async function syncWith(connection: string, repository: string) {
  return await http.world.declarations.declareSync({
    owner: { kind: "api", ref: "" },
    namespace: "default",
    name: `sync_${repository.replaceAll("-", "")}`,
    repository,
    connection,
    spec: { ...QUIET_SPEC, suspend: true, remote: "octocat/hello" },
  });
}

/** All rows of the tables that hold something of connections and syncs, as text. */
async function databaseText(): Promise<string> {
  const texts = ["connections", "syncs", "runs", "triggers", "repositories"].map(async (table) => {
    const { rows } = await http.world.database.query<{ row: string }>(`SELECT t::text AS row FROM ${table} t`);
    return rows.map(({ row }) => row).join("\n");
  });
  return (await Promise.all(texts)).join("\n");
}

describe("a new connection", () => {
  test("is answered with what the provider says of the account, and shown so from then on", async () => {
    const expiresAtMs = Date.UTC(2099, 0, 31);
    const access_token = github.addToken({ user: "octocat", scopes: ["repo", "workflow"], expiresAtMs });
    const { status, body } = await post({ provider: "github", label: "Sync Token", access_token, base_url: github.url });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^conn_[0-9a-f]+$/),
      provider: "github",
      label: "Sync Token",
      external_username: "octocat",
      base_url: github.url,
      scopes: ["repo", "workflow"],
      expires_at: "2099-01-31T00:00:00.000Z",
      created_at: expect.stringMatching(/^20.*Z$/),
    });
    const shown = { ...body, namespace: "default", name: body.id, managed_by: null, error: null, error_code: null };
    expect((await http.ask(`${PATH}/${body.id}`)).body).toEqual(shown);
    expect((await http.ask(PATH)).body.connections).toContainEqual(shown);
  });

  test("may be of a GitHub App", async () => {
    const made = github.addApp({ permissions: { contents: "write" } });
    const installation = github.installApp(made, "acme");
    const app = { id: made.id, installation_id: String(installation.id), private_key: made.privateKeyPem };
    const { status, body } = await post({ provider: "github", label: "App", app, base_url: github.enterpriseApiUrl });
    expect(status).toBe(201);
    expect(body).toMatchObject({ external_username: `${made.slug}[bot]`, scopes: ["contents:write"] });
    expect((await post(undefined, `${PATH}/${body.id}/test`)).body).toEqual({ valid: true, username: `${made.slug}[bot]` });
  });

  test("is not made of a credential that does not let in", async () => {
    const access_token = newToken();
    github.revokeToken(access_token);
    const before = (await http.ask(PATH)).body;
    const { status, body } = await post({ provider: "github", label: "No", access_token, base_url: github.url });
    expect([status, body.code]).toEqual([422, "CREDENTIAL_INVALID"]);
    expect(body.error).toContain("Bad credentials");
    expect((await http.ask(PATH)).body).toEqual(before);
  });

  test.each([
    ["no credential", {}, "access_token"],
    ["two ways in", { access_token: "a", username: "u", password: "p" }, "access_token"],
    ["half a login", { username: "u" }, "password"],
    ["a token with a line break", { access_token: "s3cret\n" }, "access_token"],
    ["a key that is none", { app: { id: 1, installation_id: 2, private_key: "s3cret" } }, "app.private_key"],
    ["a base URL with a login", { access_token: "s3cret", base_url: "https://u:s3cret@git.example.com" }, "base_url"],
    ["an unknown field", { access_token: "s3cret", token: "s3cret" }, "token"],
  ])("%s is refused by field and not repeated", async (_, given, field) => {
    const { status, body } = await post({ provider: "github", label: "x", ...given });
    expect([status, body.code, body.field]).toEqual([400, "INVALID_REQUEST", field]);
    expect(JSON.stringify(body)).not.toContain("s3cret");
  });

  test("of another provider than GitHub has no app", async () => {
    const private_key = github.addApp({ permissions: {} }).privateKeyPem;
    const { body } = await post({ provider: "gitlab", label: "x", app: { id: 1, installation_id: 2, private_key } });
    expect([body.code, body.field]).toEqual(["INVALID_REQUEST", "app"]);
  });
});

describe("access", () => {
  test("is for the master key alone", async () => {
    const { body } = await post({ name: "reader", scopes: { "repos:*": ["read", "write"] } }, "/v1/tokens");
    const id = await connect();
    const headers = { "x-api-key": String(body.token) };
    for (const [method, path] of [
      ["GET", PATH],
      ["GET", `${PATH}/${id}`],
      ["POST", `${PATH}/${id}/test`],
      ["DELETE", `${PATH}/${id}`],
    ] as const) {
      expect([method, (await http.ask(path, { method, headers })).body.code]).toEqual([method, "FORBIDDEN"]);
    }
  });

  test("to a connection that is not there is 404", async () => {
    for (const { body } of [
      await http.ask(`${PATH}/conn_none`),
      await patch("conn_none", { label: "x" }),
      await remove("conn_none"),
      await post(undefined, `${PATH}/conn_none/test`),
    ]) {
      expect(body.code).toBe("CONNECTION_NOT_FOUND");
    }
  });

  test("a connection of a resource is for the resource to change, and for anybody to try out", async () => {
    const { id } = await http.world.declarations.declareConnection({
      owner: { kind: "resource", ref: "uid-1" },
      namespace: "team",
      name: "hub",
      label: "hub",
      provider: "github",
      baseUrl: github.url,
      caPem: null,
      credential: { kind: "token", token: newToken("robot") },
      error: null,
    });
    for (const { status, body } of [await patch(id, { label: "x" }), await remove(id, "?cascade=true")]) {
      expect([status, body.code, body.managed_by]).toEqual([409, "MANAGED", "Connection team/hub"]);
    }
    expect((await post(undefined, `${PATH}/${id}/test`)).body).toEqual({ valid: true, username: "robot" });
    expect((await http.ask(`${PATH}/${id}`)).body).toMatchObject({ external_username: "robot", scopes: ["repo"] });
  });
});

describe("a change", () => {
  test("of the label asks the provider nothing", async () => {
    const id = await connect();
    github.clear();
    expect((await patch(id, { label: "Other" })).body).toEqual({ updated: true });
    expect(github.requests).toEqual([]);
    expect((await http.ask(`${PATH}/${id}`)).body).toMatchObject({ label: "Other", external_username: "octocat" });
  });

  test("of the token is tried out first, and wakes syncs that failed", async () => {
    const old = newToken();
    const id = await connect(old);
    github.revokeToken(old);
    expect((await patch(id, { access_token: "ghp_none" })).body.code).toBe("CREDENTIAL_INVALID");
    expect((await post(undefined, `${PATH}/${id}/test`)).body).toEqual({
      valid: false,
      error: expect.stringContaining("refused the credential"),
    });
    expect((await patch(id, { access_token: newToken("hubot") })).body).toEqual({ updated: true });
    expect((await http.ask(`${PATH}/${id}`)).body).toMatchObject({ label: "Sync Token", external_username: "hubot" });
    expect((await post(undefined, `${PATH}/${id}/test`)).body).toEqual({ valid: true, username: "hubot" });
  });

  test("of the base URL needs the credential that is meant for it", async () => {
    const id = await connect();
    github.clear();
    const { status, body } = await patch(id, { base_url: "https://elsewhere.example.com" });
    expect([status, body.field]).toEqual([400, "base_url"]);
    expect((await patch(id, { base_url: `${github.url}/api/v3`, access_token: newToken() })).body).toEqual({ updated: true });
  });

  test("made by two at once keeps both", async () => {
    const id = await connect();
    const access_token = newToken("hubot");
    const answers = await Promise.all([patch(id, { label: "New label" }), patch(id, { access_token })]);
    expect(answers.map(({ body }) => body)).toEqual([{ updated: true }, { updated: true }]);
    expect((await http.ask(`${PATH}/${id}`)).body).toMatchObject({ label: "New label", external_username: "hubot" });
    expect((await post(undefined, `${PATH}/${id}/test`)).body).toEqual({ valid: true, username: "hubot" });
  });
});

describe("a connection that syncs use", () => {
  test("is not deleted, and with cascade goes with its syncs", async () => {
    const id = await connect();
    const sync = await syncWith(id, "used");
    const { status, body } = await remove(id);
    expect([status, body.code, body.syncs]).toEqual([409, "CONNECTION_IN_USE", [sync.id]]);
    expect((await remove(id, "?cascade=true")).body).toEqual({ deleted: true });
    expect((await http.ask(`${PATH}/${id}`)).status).toBe(404);
    expect(await http.world.declarations.readSync(sync.id)).toBeNull();
    expect((await http.ask("/v1/repos/used")).status).toBe(200);
  });

  test("without any is deleted once", async () => {
    const id = await connect();
    expect((await remove(id)).body).toEqual({ deleted: true });
    expect((await remove(id)).status).toBe(404);
  });
});

describe("keys", () => {
  test("rotate: old credentials open, what is written anew is sealed with the first", async () => {
    const id = await connect();
    const next = new Uint8Array(32).fill(9);
    const sealed = async () =>
      (await http.world.database.query("SELECT encode(credential, 'hex') AS hex FROM connections WHERE id = $1", [id])).rows[0];
    const before = await sealed();
    const rotated = await http.replica(undefined, { keys: [next, ...TEST_KEYS] });
    expect((await rotated.ask(`${PATH}/${id}/test`, { method: "POST" })).body).toEqual({ valid: true, username: "octocat" });
    expect(await sealed()).not.toEqual(before);
    const without = await http.replica(undefined, { keys: [next] });
    expect((await without.ask(`${PATH}/${id}/test`, { method: "POST" })).body).toEqual({ valid: true, username: "octocat" });
    const lost = await http.replica(undefined, { keys: [new Uint8Array(32).fill(1)] });
    expect((await lost.ask(`${PATH}/${id}/test`, { method: "POST" })).body.code).toBe("CREDENTIAL_UNREADABLE");
  });
});

test("a hundred at once are a hundred connections", async () => {
  const access_token = newToken();
  const ids = await Promise.all(Array.from({ length: 100 }, () => connect(access_token)));
  expect(new Set(ids).size).toBe(100);
  await Promise.all(ids.map((id) => remove(id)));
});

test("no answer, no log and no row has had a credential in it", async () => {
  const secrets = [...github.world.tokens.keys(), "PRIVATE KEY", MASTER_KEY];
  const answers = JSON.stringify((await http.ask(PATH)).body);
  const stored = await databaseText();
  expect(stored).toContain("Sync Token");
  for (const secret of secrets) {
    for (const text of [answers, stored, logged.join("")]) expect(text.includes(secret), secret.slice(0, 8)).toBe(false);
    // Bytes are shown as hexadecimal digits.
    expect(stored.includes(Buffer.from(secret).toString("hex")), secret.slice(0, 8)).toBe(false);
  }
});
