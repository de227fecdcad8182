// Every route of the server has a method of the client, and the server's own schemas take what that method sends.
import { expect, test } from "vitest";
import { pathsOf, type Route } from "../http/route.ts";
import { type ApiPorts, apiRoutes } from "../http/routes.ts";
import { type CoregitClient, createCoregitClient } from "./index.ts";

const SHA = "7f3b21c0a9d1e4b5c6f70819aabbccddeeff0011";
const author = { name: "Agent", email: "agent@example.com" };

/** A call with all that the method takes, by the name of the route that it asks. */
const CALLS: Readonly<Record<string, (git: CoregitClient) => Promise<unknown>>> = {
  listRepositories: ({ repos }) => repos.list({ namespace: "team", limit: 5, cursor: "c" }),
  createRepository: ({ repos }) =>
    repos.create({ slug: "site", namespace: "team", description: "d", visibility: "public", default_branch: "main", init: true }),
  getRepository: ({ repos }) => repos.get("team/site"),
  updateRepository: ({ repos }) => repos.update("site", { description: "d", visibility: "private", default_branch: "main" }),
  deleteRepository: ({ repos }) => repos.delete("site", { cascade: true }),
  listBranches: ({ branches }) => branches.list("site", { limit: 500, cursor: "c" }),
  createBranch: ({ branches }) => branches.create("site", { name: "fix/typo", from: "main" }),
  getBranch: ({ branches }) => branches.get("site", "fix/typo"),
  deleteBranch: ({ branches }) => branches.delete("site", "fix/typo", { expected_sha: SHA }),
  listTags: ({ tags }) => tags.list("site", { limit: 1, cursor: "c" }),
  createTag: ({ tags }) => tags.create("site", { name: "v1", sha: SHA }),
  getTag: ({ tags }) => tags.get("site", "v1"),
  deleteTag: ({ tags }) => tags.delete("site", "v1", { expected_sha: SHA }),
  listRefs: ({ refs }) => refs.list("site", { prefix: "refs/heads/", limit: 1, cursor: "c" }),
  createRef: ({ refs }) => refs.create("site", { ref: "refs/heads/x", sha: SHA }),
  getRef: ({ refs }) => refs.get("site", "refs/heads/fix/typo"),
  putRef: ({ refs }) => refs.update("site", "heads/x", { sha: SHA, expected_sha: null, force: true }),
  deleteRef: ({ refs }) => refs.delete("site", "heads/x", { expected_sha: SHA }),
  listTokens: ({ tokens }) => tokens.list({ limit: 5, cursor: "tok_1" }),
  createToken: ({ tokens }) => tokens.create({ name: "ci", scopes: { "repos:*": ["read"] }, expires_in: 60 }),
  revokeToken: ({ tokens }) => tokens.revoke("tok_1"),
  listCommits: ({ commits }) => commits.list("site", { ref: "main", path: "docs", limit: 5, cursor: "c" }),
  createCommit: ({ commits }) =>
    commits.create("site", {
      branch: "main",
      message: "m",
      author: { ...author, date: "2026-01-31T12:00:00+01:00" },
      committer: author,
      parent_sha: SHA,
      base_branch: "main",
      allow_empty: true,
      changes: [
        { path: "a", content: "text", mode: "100755" },
        { path: "b", action: "create", content: "AAEC", encoding: "base64" },
        { path: "c", content: Uint8Array.of(0, 255) },
        { path: "d", action: "edit", edits: [{ old_string: "a", new_string: "b" }] },
        { path: "e", action: "rename", new_path: "f" },
        { path: "g", action: "delete" },
      ],
    }),
  getCommit: ({ commits }) => commits.get("site", SHA, { stats: true }),
  getTree: ({ files }) => files.tree("site", { ref: "main", path: "docs", recursive: true, limit: 10 }),
  getFile: ({ files }) => files.blob("site", { ref: "main", path_base64: "gA==" }),
  getBlob: ({ files }) => files.blobBySha("site", SHA),
  getRaw: ({ files }) => files.raw("site", { ref: "main", path: "a b/ü" }),
  compareCommits: ({ diffs }) => diffs.compare("site", { base: "a", head: "b", limit: 5 }),
  getDiff: ({ diffs }) => diffs.files("site", { base: "a", head: "b", merge_base: true }),
  getCommitDiff: ({ diffs }) => diffs.patch("site", { commit: SHA }),
  getSyncConfig: ({ sync }) => sync.getConfig("site"),
  listSyncHistory: ({ sync }) => sync.history("site", { limit: 5, cursor: "c" }),
  triggerSync: ({ sync }) => sync.trigger("site", { sync_id: "sync_1", branch: "main", dry_run: true, wait: false }),
  listRepositorySyncs: ({ sync }) => sync.list("site"),
  listSyncs: ({ syncs }) => syncs.list({ namespace: "team" }),
  getSync: ({ syncs }) => syncs.get("team", "site"),
  watchSyncs: ({ syncs }) => syncs.watch({ namespace: "team" }),
  listConnections: ({ connections }) => connections.list({ namespace: "team" }),
  listRuns: ({ runs }) => runs.list({ sync_id: "sync_1", namespace: "team", limit: 5, cursor: "c" }),
  createConnection: ({ connections }) =>
    connections.create({ provider: "gitlab", label: "l", access_token: "t", base_url: "https://git.example.com" }),
  getConnection: ({ connections }) => connections.get("conn_1"),
  updateConnection: ({ connections }) => connections.update("conn_1", { label: "l", username: "u", password: "p" }),
  deleteConnection: ({ connections }) => connections.delete("conn_1", { cascade: true }),
  testConnection: ({ connections }) => connections.test("conn_1"),
  createSyncConfig: ({ sync }) =>
    sync.createConfig("site", { connection_id: "conn_1", remote: "a/b", direction: "export", branch: "main", auto_sync: true }),
  updateSyncConfig: ({ sync }) =>
    sync.updateConfig("site", { remote: "a/b", direction: "import", branch: "x", auto_sync: false }),
  getSyncWebhook: ({ sync }) => sync.getWebhook("site", { sync_id: "sync_1" }),
  rotateSyncWebhook: ({ sync }) => sync.rotateWebhook("site", { sync_id: "sync_1" }),
  deleteSyncConfig: ({ sync }) => sync.deleteConfig("site"),
  getRunPlan: ({ runs }) => runs.plan("run_1"),
  getRun: ({ runs }) => runs.get("run_1"),
};

/** Other forms of the same, which the client has no use for. */
const OTHER_FORMS = new Set(["compareRange", "patchRef"]);
/** What providers ask, not clients. */
const OF_PROVIDERS = new Set(["receiveWebhook"]);

// Routes are data: nothing of the ports is touched before one answers.
const routes = apiRoutes({} as ApiPorts).filter(({ name }) => !OTHER_FORMS.has(name) && !OF_PROVIDERS.has(name));

type Sent = { readonly url: URL; readonly method: string | undefined; readonly body: unknown };

async function sentBy(call: (git: CoregitClient) => Promise<unknown>): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  const record = async (url: string, { method, body }: RequestInit): Promise<Response> => {
    sent.push({ url: new URL(url), method, body: typeof body === "string" ? JSON.parse(body) : undefined });
    return Response.json({});
  };
  await call(createCoregitClient({ apiKey: "key", baseUrl: "http://server.test/", fetch: record }));
  return sent;
}

function isAddressOf(route: Route, path: string): boolean {
  const patterns = pathsOf(route).map((pattern) => pattern.replace(/:\w+\*$/, ".+").replaceAll(/:\w+/g, "[^/]+"));
  return patterns.some((pattern) => new RegExp(`^/v1${pattern}$`).test(path));
}

test("every route has a call here, and every call a route", () => {
  expect(Object.keys(CALLS).sort()).toEqual(routes.map(({ name }) => name).sort());
});

test.each(routes.map((route) => [route.name, route] as const))("%s is asked as the server takes it", async (name, route) => {
  const [sent, ...more] = await sentBy(CALLS[name] ?? (() => Promise.resolve()));
  expect(more).toEqual([]);
  expect(sent?.method).toBe(route.method);
  expect(isAddressOf(route, sent?.url.pathname ?? ""), sent?.url.pathname).toBe(true);
  expect(route.query.safeParse(Object.fromEntries(sent?.url.searchParams ?? [])).error).toBeUndefined();
  expect(route.body === null ? sent?.body : route.body.safeParse(sent?.body).error).toBeUndefined();
});
