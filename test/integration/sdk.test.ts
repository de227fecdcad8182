// The client against the real server: what its documentation shows, and each kind of answer that there can be.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type CoregitClient,
  type CreateCommit,
  createCoregitClient,
  type Failure,
  paginate,
  type Result,
} from "../../src/sdk/index.ts";
import { type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";
import { ManualTime } from "../support/manual-time.ts";

const author = { name: "Agent", email: "agent@example.com" };
const LIMIT = 12;
const time = new ManualTime();

let http: HttpWorld;
let git: CoregitClient;

beforeAll(async () => {
  http = await openHttpWorld({ clock: time, tokenRateLimit: LIMIT });
  git = createCoregitClient({ apiKey: MASTER_KEY, baseUrl: http.url });
});
afterAll(() => http[Symbol.asyncDispose]());

function dataOf<T>(result: Result<T>): T {
  if (result.error !== null) throw result.error;
  return result.data;
}

const factsOf = ({ data, error, status }: Failure | Result<unknown>) => [data, status, error?.code];

async function newRepository(slug: string): Promise<string> {
  dataOf(await git.repos.create({ slug }));
  return slug;
}

const commit = (repository: string, changes: CreateCommit["changes"], more: Partial<CreateCommit> = {}) =>
  git.commits.create(repository, { branch: "main", message: "A commit", author, changes, ...more });

async function tokenFor(scopes: Record<string, ("read" | "write")[]>): Promise<CoregitClient> {
  const { token } = dataOf(await git.tokens.create({ name: "test", scopes }));
  return createCoregitClient({ apiKey: token, baseUrl: http.url });
}

describe("a repository through the client", () => {
  test("is made, committed to, read and removed", async () => {
    const repository = dataOf(await git.repos.create({ slug: "whole", namespace: "team", description: "Ü" }));
    const first = await commit("team/whole", [{ path: "docs/a.txt", content: "one\n" }]);
    expect([first.status, first.data]).toMatchObject([201, { branch: "main", previous_sha: null }]);
    const second = dataOf(
      await git.commits.create(repository, {
        branch: "main",
        message: "Edit",
        author: { ...author, date: "2026-01-31T12:00:00+01:00" },
        parent_sha: first.data?.sha,
        changes: [
          { path: "docs/a.txt", action: "edit", edits: [{ old_string: "one", new_string: "two" }] },
          { path: "run.sh", content: "#!/bin/sh\n", mode: "100755" },
        ],
      }),
    );
    expect(dataOf(await git.commits.get(repository, second.sha, { stats: true }))).toMatchObject({
      message: "Edit",
      timestamp: Date.parse("2026-01-31T11:00:00Z") / 1000,
      stats: { files_changed: 2, additions: 2, deletions: 1 },
    });
    const { entries } = dataOf(await git.files.tree(repository, { recursive: true }));
    expect(entries.map(({ path, mode }) => [path, mode])).toEqual([
      ["docs", "040000"],
      ["docs/a.txt", "100644"],
      ["run.sh", "100755"],
    ]);
    const { data: comparison } = await git.diffs.compare(repository, { base: first.data?.sha ?? "", head: "main" });
    expect(comparison).toMatchObject({ ahead_by: 1, behind_by: 0, changed_files: 2 });
    const range = { base: first.data?.sha ?? "", head: "main" };
    expect(dataOf(await git.diffs.files(repository, range)).files.map(({ path }) => path)).toEqual(["docs/a.txt", "run.sh"]);
    const patch = dataOf(await git.diffs.patch(repository, { commit: second.sha }));
    expect(new TextDecoder().decode(patch.bytes)).toContain("-one\n+two\n");
    expect(dataOf(await git.repos.update(repository, { description: "new" })).description).toBe("new");
    expect(await git.repos.delete(repository, { cascade: true })).toMatchObject({ data: { deleted: true }, error: null });
    expect(factsOf(await git.repos.get(repository))).toEqual([null, 404, "REPOSITORY_NOT_FOUND"]);
  });

  test("has branches, tags and refs of any name that git takes", async () => {
    const repository = await newRepository("names");
    const { sha } = dataOf(await commit(repository, [{ path: "a", content: "a" }]));
    const name = "fix/100% ✓/#7&b=c+d".replaceAll(" ", "_");
    expect(dataOf(await git.branches.create(repository, { name }))).toEqual({ name, sha });
    expect(dataOf(await git.branches.get(repository, name))).toEqual({ name, sha });
    expect(dataOf(await git.tags.create(repository, { name, sha }))).toMatchObject({ name, annotation: null });
    expect(dataOf(await git.tags.list(repository)).tags.map((tag) => tag.name)).toEqual([name]);
    expect(dataOf(await git.refs.get(repository, `refs/heads/${name}`))).toEqual({ ref: `refs/heads/${name}`, sha });
    const there = await git.refs.update(repository, `refs/heads/${name}`, { sha, expected_sha: null });
    expect([factsOf(there), there.error?.details]).toMatchObject([[null, 409, "REF_EXISTS"], { head_sha: sha }]);
    const elsewhere = await git.branches.delete(repository, name, { expected_sha: "1".repeat(40) });
    expect([factsOf(elsewhere), elsewhere.error?.details]).toMatchObject([[null, 409, "REF_MOVED"], { head_sha: sha }]);
    expect((await git.refs.update(repository, "heads/made", { sha, expected_sha: null })).status).toBe(201);
    expect(dataOf(await git.branches.delete(repository, name, { expected_sha: sha }))).toEqual({ deleted: true });
    expect(factsOf(await git.branches.get(repository, name))).toEqual([null, 404, "REF_NOT_FOUND"]);
    expect(factsOf(await git.branches.delete(repository, "../../../tokens"))).toEqual([null, 0, "INVALID_REQUEST"]);
  });
});

describe("files through the client", () => {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256);

  beforeAll(async () => {
    await newRepository("files");
    const changes = [
      { path: "bytes.bin", content: bytes },
      { path: "ordner/größe ✓?#%.txt", content: "Grüße, 世界 🚀\n" },
    ];
    dataOf(await commit("files", changes, { message: "Größe ✓" }));
  });

  test("are the bytes that were committed", async () => {
    expect(dataOf(await git.files.raw("files", { path: "bytes.bin" })).bytes).toEqual(bytes);
    const { stream, size } = dataOf(await git.files.stream("files", { ref: "main", path: "bytes.bin" }));
    expect([size, new Uint8Array(await new Response(stream).arrayBuffer())]).toEqual([bytes.length, bytes]);
    expect(dataOf(await git.files.blob("files", { path: "bytes.bin" }))).toMatchObject({
      encoding: "base64",
      size: bytes.length,
    });
  });

  test("have names and content in any script", async () => {
    const path = "ordner/größe ✓?#%.txt";
    const { content, encoding, sha } = dataOf(await git.files.blob("files", { path }));
    expect([content, encoding]).toEqual(["Grüße, 世界 🚀\n", "utf-8"]);
    expect(dataOf(await git.files.blobBySha("files", sha)).content).toBe(content);
    expect(dataOf(await git.commits.list("files", { path })).commits).toMatchObject([{ message: "Größe ✓" }]);
  });

  test("come in parts, and not at all when they are known", async () => {
    const file = { path: "bytes.bin" };
    const part = await git.files.raw("files", file, { range: { start: 256, end: 511 } });
    expect([part.status, part.data]).toMatchObject([206, { start: 256, size: bytes.length, bytes: bytes.slice(256, 512) }]);
    expect(dataOf(await git.files.raw("files", file, { range: { last: 3 } })).bytes).toEqual(bytes.slice(-3));
    const changed = await git.files.raw("files", file, { range: { last: 3 }, ifRange: '"other"' });
    expect([changed.status, changed.data?.bytes.length]).toEqual([200, bytes.length]);
    const beyond = await git.files.raw("files", file, { range: { start: bytes.length } });
    expect(factsOf(beyond)).toEqual([null, 416, "RANGE_NOT_SATISFIABLE"]);
    const etag = part.data?.etag ?? "";
    expect(factsOf(await git.files.raw("files", file, { ifNoneMatch: etag }))).toEqual([null, 304, "NOT_MODIFIED"]);
    const blob = await git.files.blob("files", file);
    const known = { ifNoneMatch: blob.headers?.get("etag") ?? "" };
    expect(factsOf(await git.files.blob("files", file, known))).toEqual([null, 304, "NOT_MODIFIED"]);
  });
});

describe("lists through the client", () => {
  test("go on over their pages until the last one", async () => {
    const repository = await newRepository("pages");
    for (let n = 0; n < 7; n += 1)
      dataOf(await commit(repository, [{ path: "n", content: String(n) }], { message: `Commit ${n}` }));
    const pages: string[][] = [];
    for await (const page of paginate((cursor) => git.commits.list(repository, { cursor, limit: 3 }))) {
      pages.push(dataOf(page).commits.map(({ message }) => message));
    }
    expect(pages).toEqual([["Commit 6", "Commit 5", "Commit 4"], ["Commit 3", "Commit 2", "Commit 1"], ["Commit 0"]]);
  });

  test("end with the page that fails", async () => {
    const found: unknown[] = [];
    for await (const page of paginate((cursor) => git.branches.list("nowhere", { cursor }))) found.push(factsOf(page));
    expect(found).toEqual([[null, 404, "REPOSITORY_NOT_FOUND"]]);
  });
});

describe("a refusal through the client", () => {
  test("of a commit on what is no longer the head names the head", async () => {
    const repository = await newRepository("moved");
    const first = dataOf(await commit(repository, [{ path: "a", content: "1" }]));
    const second = dataOf(await commit(repository, [{ path: "a", content: "2" }], { parent_sha: first.sha }));
    const late = await commit(repository, [{ path: "a", content: "3" }], { parent_sha: first.sha });
    expect(factsOf(late)).toEqual([null, 409, "REF_MOVED"]);
    expect(late.error).toMatchObject({ name: "CoregitApiError", details: { head_sha: second.sha }, retryAfterSeconds: null });
    expect(late.error?.requestId).toBe(late.headers?.get("x-request-id"));
    expect(late.error?.requestId).toMatch(/./);
  });

  test("of one change among many names it", async () => {
    const refused = await commit(await newRepository("refused"), [
      { path: "a", content: "" },
      { path: "../b", content: "" },
    ]);
    expect([factsOf(refused), refused.error?.details]).toMatchObject([[null, 422, "PATH_REFUSED"], { field: "changes[1]" }]);
  });

  test("of a key is 401, of its rights 403, of what it may not see 404", async () => {
    await newRepository("guarded");
    const stranger = createCoregitClient({ apiKey: "cgt_wrong", baseUrl: http.url });
    expect(factsOf(await stranger.repos.get("guarded"))).toEqual([null, 401, "UNAUTHORIZED"]);
    const reader = await tokenFor({ "repos:guarded": ["read"] });
    expect((await reader.repos.get("guarded")).status).toBe(200);
    expect(factsOf(await reader.branches.create("guarded", { name: "x" }))).toEqual([null, 403, "FORBIDDEN"]);
    expect(factsOf(await reader.repos.get("files"))).toEqual([null, 404, "REPOSITORY_NOT_FOUND"]);
    const { tokens } = dataOf(await git.tokens.list());
    expect(dataOf(await git.tokens.revoke(tokens[0]?.id ?? ""))).toMatchObject({ revoked: true });
    expect(factsOf(await reader.repos.get("guarded"))).toEqual([null, 401, "UNAUTHORIZED"]);
  });

  test("of one request too many says how long to wait", async () => {
    await newRepository("busy");
    const token = await tokenFor({ "repos:busy": ["read"] });
    const answers = [];
    for (let n = 0; n <= LIMIT; n += 1) answers.push(await token.repos.get("busy"));
    const last = answers.at(-1);
    expect(answers.slice(0, -1).map(({ status }) => status)).toEqual(Array.from({ length: LIMIT }, () => 200));
    expect(last && factsOf(last)).toEqual([null, 429, "RATE_LIMIT_EXCEEDED"]);
    expect(last?.error?.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(last?.error?.retryAfterSeconds).toBeLessThanOrEqual(60);
    expect(last?.headers?.get("x-ratelimit-remaining")).toBe("0");
  });
});

describe("syncs through the client", () => {
  test("are shown, watched and told of as they are", async () => {
    const declared = await http.world.declare("http://127.0.0.1:9/gone.git", {}, "synced");
    const { config } = dataOf(await git.sync.getConfig("synced"));
    expect(config).toMatchObject({ id: declared.id, direction: "import", connection: null, last_error: null });
    const { syncs } = dataOf(await git.sync.list("synced"));
    expect(syncs.map(({ id }) => id)).toEqual([declared.id]);
    expect(dataOf(await git.syncs.list()).syncs).toEqual(syncs);
    expect(dataOf(await git.syncs.get("default", "synced"))).toEqual(syncs[0]);
    expect(dataOf(await git.sync.history("synced"))).toEqual({ runs: [], next_cursor: null });
    expect(dataOf(await git.runs.list({ sync_id: declared.id })).runs).toEqual([]);
    expect(factsOf(await git.runs.get("run_0"))).toEqual([null, 404, "RUN_NOT_FOUND"]);
    expect(factsOf(await git.sync.trigger("synced", { sync_id: "sync_0" }))).toEqual([null, 404, "SYNC_NOT_FOUND"]);
    expect(dataOf(await git.connections.list())).toEqual({ connections: [] });
    const events: string[] = [];
    for await (const event of dataOf(await git.syncs.watch({ namespace: "default" }))) {
      events.push(event.type === "sync" ? event.sync.id : event.type);
      if (event.type === "synced") break;
    }
    expect(events).toEqual([declared.id, "synced"]);
  });
});
