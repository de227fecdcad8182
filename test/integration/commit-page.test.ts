// The product page of commits: its requests as it prints them, byte for byte but for the names that stand for something, and
// its answers, field for field.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";

const SHA = expect.stringMatching(/^[0-9a-f]{40}$/);

/** `abc123...` stands for the head. */
const PRINTED = `{
  "branch": "main",
  "message": "Add homepage and config",
  "parent_sha": "abc123...",
  "author": { "name": "Agent", "email": "agent@example.com" },
  "changes": [
    {
      "path": "index.html",
      "content": "<h1>Hello</h1>"
    },
    {
      "path": "config.json",
      "content": "{\\"version\\": 1}",
      "encoding": "utf-8"
    },
    {
      "path": "old-file.txt",
      "action": "delete"
    }
  ]
}`;

let http: HttpWorld;
let first: string;
let made: { readonly status: number; readonly body: Record<string, unknown> };

async function ask(method: string, path: string, body?: string) {
  const headers = { "x-api-key": MASTER_KEY, "content-type": "application/json" };
  const response = await fetch(`${http.url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

beforeAll(async () => {
  http = await openHttpWorld();
  await ask("POST", "/v1/repos", '{"slug": "site"}');
  const old = PRINTED.replace('"parent_sha": "abc123...",', "").replace(
    /"changes": \[.*\]/s,
    '"changes": [{"path": "old-file.txt", "content": "b2xk", "encoding": "base64"}]',
  );
  first = String((await ask("POST", "/v1/repos/site/commits", old)).body.sha);
  made = await ask("POST", "/v1/repos/site/commits", PRINTED.replace("abc123...", first));
});
afterAll(() => http[Symbol.asyncDispose]());

const shown = () => ({
  sha: made.body.sha,
  message: "Add homepage and config",
  author_name: "Agent",
  author_email: "agent@example.com",
  timestamp: expect.any(Number),
  parents: [first],
});

describe("the product page", () => {
  test("creates a commit", async () => {
    expect(made).toEqual({
      status: 201,
      body: { sha: SHA, tree_sha: SHA, branch: "main", parent_sha: first, previous_sha: first },
    });
    const files = await http.world.git(["ls-tree", "-r", "--name-only", "main"], "site");
    expect(files).toBe("config.json\nindex.html");
    expect(await http.world.git(["show", "main:config.json", "main:index.html"], "site")).toBe('{"version": 1}<h1>Hello</h1>');
  });

  test("refuses its parent_sha once the branch has moved, and says where it is", async () => {
    const { status, body } = await ask("POST", "/v1/repos/site/commits", PRINTED.replace("abc123...", first));
    expect([status, body]).toEqual([409, { error: expect.any(String), code: "REF_MOVED", head_sha: made.body.sha }]);
  });

  test.each(["ref=main&limit=20", "branch=main&limit=20", "", "ref=refs/heads/main"])("lists commits by %j", async (query) => {
    const { status, body } = await ask("GET", `/v1/repos/site/commits?${query}`);
    const ref = query.includes("refs/") ? "refs/heads/main" : "main";
    expect([status, body]).toEqual([
      200,
      { commits: [shown(), { ...shown(), sha: first, parents: [] }], ref, has_more: false, next_cursor: null },
    ]);
  });

  test("lists commits from a SHA, one at a time, and at most a hundred", async () => {
    const { body } = await ask("GET", `/v1/repos/site/commits?ref=${made.body.sha}&limit=1`);
    expect(body).toMatchObject({ commits: [shown()], ref: made.body.sha, has_more: true });
    expect((await ask("GET", "/v1/repos/site/commits?limit=100")).status).toBe(200);
    expect((await ask("GET", "/v1/repos/site/commits?limit=101")).status).toBe(400);
  });

  test("gets a commit, at the address of either form", async () => {
    const tree = await http.world.git(["rev-parse", "main^{tree}"], "site");
    for (const base of ["/v1/repos/site", "/v1/repos/default/site"])
      expect(await ask("GET", `${base}/commits/${made.body.sha}`)).toEqual({ status: 200, body: { ...shown(), tree } });
  });
});
