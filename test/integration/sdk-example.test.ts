// The example of docs/sdk.md, run as it is printed there: against answers as documented, and against the product and its providers'
// doubles.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createCoregitClient } from "../../src/sdk/index.ts";
import { type AskedRequest, answerJson, startAnsweringServer } from "../support/answering-server.ts";
import { MASTER_KEY, openHttpWorld } from "../support/http-world.ts";
import { startGitHub } from "../support/providers/github/start.ts";
import { startGitLab } from "../support/providers/gitlab/start.ts";

type Example = (git: unknown, console: { log(line: string): void }) => Promise<void>;

/** The page's only block of JavaScript. */
async function printedExample(): Promise<Example> {
  const page = await readFile(join(import.meta.dirname, "../../docs/sdk.md"), "utf8");
  const [, code = ""] = /^```js\n(.*?)^```$/ms.exec(page) ?? [];
  expect(code).toContain("git.connections.create");
  return new Function("git", "console", `return (async () => {${code}})();`) as Example;
}

/** What the API's page answers to each request. */
const ANSWERS: Readonly<Record<string, readonly [status: number, body: unknown]>> = {
  "POST /v1/connections": [201, { id: "conn_abc123", provider: "github", label: "Sync Token" }],
  "POST /v1/repos/my-repo/sync/config": [201, { id: "sync_xyz", connection_id: "conn_abc123", webhook_id: 12345 }],
  "POST /v1/repos/my-repo/sync": [200, { synced: true, files_changed: 42, deleted: 3, direction: "import" }],
  "GET /v1/repos/my-repo/sync/history?limit=10": [
    200,
    { runs: [{ id: "run_abc", status: "success", message: "Imported 15 files" }], next_cursor: null },
  ],
  "PATCH /v1/repos/my-repo/sync/config": [200, { updated: true }],
  "DELETE /v1/repos/my-repo/sync/config": [200, { deleted: true }],
};

const lineOf = ({ method, path }: AskedRequest) => `${method} ${path}`;

test("the printed example asks what the API's page documents, and prints what it answers", async () => {
  await using server = await startAnsweringServer((request, response) => {
    const [status, body] = ANSWERS[lineOf(request)] ?? [404, { error: "Nothing here.", code: "NOT_FOUND" }];
    answerJson(response, status, body);
  });
  const example = await printedExample();
  const printed: string[] = [];
  await example(createCoregitClient({ apiKey: "key", baseUrl: server.url }), { log: (line) => printed.push(line) });
  expect(printed).toEqual(["Synced 42 files", "success: Imported 15 files"]);
  expect(server.asked.map(lineOf)).toEqual(Object.keys(ANSWERS));
  expect(server.asked.map(({ body }) => body)).toEqual([
    { provider: "github", label: "Sync Token", access_token: "ghp_xxxxxxxxxxxx" },
    { connection_id: "conn_abc123", remote: "octocat/my-repo", direction: "import", auto_sync: true },
    { sync_id: "sync_xyz" },
    null,
    { direction: "export", auto_sync: true },
    null,
  ]);
});

const FILES = { "README.md": "hi\n", "src/index.js": "run();\n" };

/** The repository that the example names, at a double. */
const PROVIDERS = {
  async github() {
    const double = await startGitHub();
    const remote = await double.addRepository("octocat/my-repo", { isPrivate: true, files: FILES });
    return { double, remote, token: double.addToken({ user: "octocat" }) };
  },
  async gitlab() {
    const double = await startGitLab();
    const remote = await double.addProject("octocat/my-repo", { isPrivate: true, files: FILES });
    return { double, remote, token: double.addToken({ user: "octocat" }) };
  },
};

/** `fetch` that puts the double in the place of the provider, and before the example asks for a run does `beforeSync`. */
function fetchFor(connection: Readonly<Record<string, string>>, beforeSync: () => Promise<unknown>): typeof fetch {
  return async (input, init = {}) => {
    const { pathname } = new URL(String(input instanceof Request ? input.url : input));
    if (pathname.endsWith("/sync")) await beforeSync();
    if (pathname !== "/v1/connections") return fetch(input, init);
    return fetch(input, { ...init, body: JSON.stringify({ ...JSON.parse(String(init.body)), ...connection }) });
  };
}

test.each(["github", "gitlab"] as const)("the printed example syncs a repository of %s", async (provider) => {
  await using stack = new AsyncDisposableStack();
  const { double, remote, token } = await PROVIDERS[provider]();
  stack.use(double);
  const http = stack.use(await openHttpWorld());
  const engine = await http.world.startEngine();
  expect((await http.ask("/v1/repos", { method: "POST", body: { slug: "my-repo" } })).status).toBe(201);
  // By then the sync has run, as every new one does; what the example asks for brings what has changed since.
  const changeThere = async () => {
    await engine.drain();
    await remote.commit({ "src/index.js": "runMore();\n" });
  };
  const toDouble = fetchFor({ provider, access_token: token, base_url: double.url }, changeThere);
  const client = createCoregitClient({ apiKey: MASTER_KEY, baseUrl: http.url, fetch: toDouble });
  const printed: string[] = [];
  await (await printedExample())(client, { log: (line) => printed.push(line) });
  expect(printed).toEqual(["Synced 1 files", "success: Imported 1 file.", "success: Imported 2 files."]);
  expect(await http.world.tree("main", "my-repo")).toBe(await remote.git.resolve("refs/heads/main", "tree"));
  expect((await http.ask("/v1/repos/my-repo/sync/config")).body).toEqual({ config: null });
  const { body } = await http.ask("/v1/connections");
  expect(body).toMatchObject({ connections: [{ provider, label: "Sync Token", external_username: "octocat" }] });
});
