// The example of docs/sdk.md, run as it is printed there.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createCoregitClient } from "../../src/sdk/index.ts";
import { type AskedRequest, answerJson, startAnsweringServer } from "../support/answering-server.ts";

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
