// The HTTP server on real rows, runs and repositories: the shapes of the product's pages, and every refusal.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SyncStatus } from "../../src/domain/declaration.ts";
import type { Engine } from "../../src/sync/engine.ts";
import type { GitHttpServer } from "../support/git-http-server.ts";
import { type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import { serveSource } from "../support/test-remotes.ts";

const SHA = expect.stringMatching(/^[0-9a-f]{40}$/);
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

let http: HttpWorld;
let source: SourceRepository;
let server: GitHttpServer & { readonly remoteUrl: string };
let engine: Engine;
let sync: SyncStatus;

beforeAll(async () => {
  source = await createSourceRepository();
  await source.commit({ "README.md": "one\n", "docs/a.md": "a\n" });
  server = await serveSource(source);
  http = await openHttpWorld();
  engine = await http.world.startEngine();
  sync = await http.world.settle(engine, await http.world.declare(server.remoteUrl));
});

afterAll(async () => {
  await http[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
});

const trigger = (body: unknown, repository = "copy") => http.ask(`/v1/repos/${repository}/sync`, { method: "POST", body });

describe("the sync of a repository", () => {
  test("shows its config under both addresses", async () => {
    const { status, body } = await http.ask("/v1/repos/copy/sync/config");
    expect([status, body]).toEqual([
      200,
      {
        config: {
          id: sync.id,
          connection_id: null,
          provider: "git",
          remote: server.remoteUrl,
          branch: "main",
          direction: "import",
          auto_sync: true,
          last_synced_sha: SHA,
          last_synced_at: TIME,
          last_error: null,
          last_error_code: null,
          managed_by: "RepoSync default/copy",
          connection: null,
        },
      },
    ]);
    expect((await http.ask("/v1/repos/default/copy/sync/config")).body).toEqual(body);
  });

  test("is null where a repository has none", async () => {
    await http.world.declarations.declareRepository({
      owner: { kind: "resource", ref: "uid-r" },
      ...{
        namespace: "team",
        slug: "empty",
        defaultBranch: "main",
        protectedBranches: [],
        description: "",
        visibility: "private",
        deletionPolicy: "Retain",
      },
    });
    expect((await http.ask("/v1/repos/team/empty/sync/config")).body).toEqual({ config: null });
    const commits = await http.ask("/v1/repos/team/empty/commits");
    expect(commits.body).toEqual({ commits: [], ref: "main", has_more: false, next_cursor: null });
  });

  test("runs when asked, says what it did, and then that nothing is new", async () => {
    const head = await source.commit({ "README.md": "two\n", "new.txt": "new\n", "docs/a.md": null });
    expect(await trigger({ sync_id: sync.id, dry_run: true })).toMatchObject({
      status: 200,
      body: { plan: { added: 1, modified: 1, deleted: 1, paths: expect.arrayContaining([]), conflicts: [] } },
    });
    const applied = await trigger({ sync_id: sync.id });
    const changed = { synced: true, remote_sha: head, commit_sha: SHA, files_changed: 2, deleted: 1, direction: "import" };
    expect([applied.status, applied.body]).toEqual([200, changed]);
    expect(applied.body.commit_sha).toBe(await http.world.head());
    const again = await trigger({ sync_id: sync.id }, "default/copy");
    expect(again.body).toEqual({
      synced: false,
      remote_sha: head,
      commit_sha: null,
      files_changed: 0,
      deleted: 0,
      direction: "import",
    });
  });

  test("need not be waited for", async () => {
    const { status, body } = await trigger({ sync_id: sync.id, wait: false });
    expect([status, body]).toEqual([202, { run_id: expect.stringMatching(/^run_/) }]);
    await engine.drain();
  });

  test("that fails answers with the run's code, sentence and id", async () => {
    const { status, body } = await trigger({ sync_id: sync.id, branch: "no-such-branch" });
    expect([status, body]).toMatchObject([
      422,
      { code: "BRANCH_MISSING", error: expect.any(String), run_id: expect.any(String) },
    ]);
    const run = await http.ask(`/v1/runs/${String(body.run_id)}`);
    expect(run.body).toMatchObject({ id: body.run_id, status: "error", code: "BRANCH_MISSING", message: body.error });
  });

  test("that would conflict names the paths", async () => {
    const other = await http.world.declare(server.remoteUrl, { onDivergence: "Fail", branch: "main" }, "diverged");
    await http.world.settle(engine, other);
    // A second sync into the same branch makes it diverge for the first.
    await http.world.declarations.declareSync({
      owner: { kind: "resource", ref: "uid-second" },
      ...{ namespace: "default", name: "second", repository: "diverged", connection: null },
      spec: { ...other.spec, path: "copy-of-it", onDivergence: "Merge" },
    });
    await engine.drain();
    await source.commit({ "README.md": "three\n" });
    const { status, body } = await trigger({ sync_id: other.id }, "diverged");
    expect([status, body]).toMatchObject([409, { code: "DIVERGED", run_id: expect.any(String) }]);
    expect((await http.ask("/v1/repos/diverged/syncs")).body.syncs).toMatchObject([{ name: "diverged" }, { name: "second" }]);
  });

  test("is unknown to another repository", async () => {
    for (const id of [sync.id, "sync_0000"]) {
      expect(await trigger({ sync_id: id }, "team/empty")).toMatchObject({ status: 404, body: { code: "SYNC_NOT_FOUND" } });
    }
  });

  test.each([
    ["no sync_id", {}, "sync_id", "sync_id in the body is required."],
    ["a wrong type", { sync_id: "sync_1", wait: "yes" }, "wait", "wait in the body must be true or false."],
    ["an unknown field", { sync_id: "sync_1", dryrun: true }, "dryrun", "dryrun in the body is not a field that Coregit knows."],
  ])("is not run for a body with %s", async (_, body, field, error) => {
    expect(await trigger(body)).toMatchObject({ status: 400, body: { error, code: "INVALID_REQUEST", field } });
  });

  test("has its runs in history, newest first, in pages", async () => {
    const first = await http.ask("/v1/repos/copy/sync/history?limit=1");
    const runs = first.body.runs as { id: string }[];
    expect(runs).toHaveLength(1);
    expect(first.body.next_cursor).toEqual(expect.any(String));
    const rest = await http.ask(`/v1/repos/copy/sync/history?limit=100&cursor=${String(first.body.next_cursor)}`);
    const older = rest.body.runs as Record<string, unknown>[];
    expect(older.map(({ id }) => id)).not.toContain(runs[0]?.id);
    expect(rest.body.next_cursor).toBeNull();
    expect(older.at(-1)).toMatchObject({
      status: "success",
      remote_sha: SHA,
      commit_sha: SHA,
      started_at: TIME,
      completed_at: TIME,
    });
    const bad = await http.ask("/v1/repos/copy/sync/history?cursor=xyz");
    expect(bad).toMatchObject({ status: 400, body: { code: "INVALID_REQUEST" } });
  });
});

describe("lists", () => {
  test("of syncs, one sync, repositories, runs and connections", async () => {
    const syncs = (await http.ask("/v1/syncs?namespace=default")).body.syncs as Record<string, unknown>[];
    expect(syncs[0]).toMatchObject({ name: "copy", ready: "True", reason: "Synced", branch: "main", last_synced_sha: SHA });
    expect((await http.ask("/v1/syncs/default/copy")).body).toEqual(syncs[0]);
    expect(await http.ask("/v1/syncs/default/none")).toMatchObject({ status: 404, body: { code: "SYNC_NOT_FOUND" } });
    const { repositories } = (await http.ask("/v1/repos?limit=100")).body as { repositories: Record<string, unknown>[] };
    expect(repositories.map(({ namespace, slug }) => `${namespace}/${slug}`)).toEqual([
      "default/copy",
      "default/diverged",
      "team/empty",
    ]);
    expect((await http.ask("/v1/repos/team/empty")).body).toEqual(repositories[2]);
    expect(repositories[0]).toMatchObject({ head_sha: SHA, size_bytes: expect.any(Number), managed_by: null });
    const { runs } = (await http.ask(`/v1/runs?sync_id=${sync.id}`)).body as { runs: Record<string, unknown>[] };
    expect(runs.every(({ sync_id }) => sync_id === sync.id)).toBe(true);
    expect((await http.ask("/v1/runs?namespace=team")).body).toEqual({ runs: [], next_cursor: null });
  });

  test("of repositories go on where the last page ended", async () => {
    const slugs: unknown[] = [];
    let cursor: unknown = null;
    do {
      const { body } = await http.ask(`/v1/repos?limit=1${cursor === null ? "" : `&cursor=${String(cursor)}`}`);
      slugs.push(...(body.repositories as { slug: string }[]).map(({ slug }) => slug));
      cursor = body.next_cursor;
    } while (cursor !== null);
    expect(slugs).toEqual(["copy", "diverged", "empty"]);
  });

  test("of connections hold no credential", async () => {
    await http.world.declarations.declareConnection({
      owner: { kind: "file", ref: "Connection/default/forge" },
      ...{ namespace: "default", name: "forge", label: "Forge", provider: "git", baseUrl: "https://git.example", caPem: null },
      credential: { kind: "token", token: "very-secret-token" },
      error: null,
    });
    const { body } = await http.ask("/v1/connections");
    expect(body.connections).toMatchObject([{ name: "forge", provider: "git", managed_by: "manifest Connection default/forge" }]);
    expect(JSON.stringify(body)).not.toContain("very-secret-token");
  });
});

describe("commits", () => {
  test("are listed newest first, in pages that a moving branch does not shift", async () => {
    const first = await http.ask("/v1/repos/copy/commits?limit=1");
    expect(first.body).toMatchObject({ ref: "main", has_more: true });
    expect((first.body.commits as unknown[])[0]).toEqual({
      sha: await http.world.head(),
      message: expect.stringMatching(/[^\n]$/),
      author_name: expect.any(String),
      author_email: expect.any(String),
      timestamp: expect.any(Number),
      parents: [SHA],
    });
    await source.commit({ "moved.txt": "moved\n" });
    await trigger({ sync_id: sync.id });
    const second = await http.ask(`/v1/repos/copy/commits?limit=1&cursor=${String(first.body.next_cursor)}`);
    expect(second.body).toMatchObject({ commits: [{ parents: [] }], has_more: false, next_cursor: null });
  });

  test("are found by branch, ref, tag and id", async () => {
    const head = await http.world.head();
    for (const query of ["", "?ref=main", "?branch=main", "?ref=refs/heads/main", `?ref=${head}`, `?ref=${head?.slice(0, 10)}`]) {
      expect((await http.ask(`/v1/repos/default/copy/commits${query}`)).body.commits).toMatchObject([{ sha: head }, {}, {}]);
    }
    expect(await http.ask("/v1/repos/copy/commits?ref=none")).toMatchObject({ status: 404, body: { code: "REF_NOT_FOUND" } });
  });

  test("one is shown with its tree", async () => {
    const head = await http.world.head();
    const answer = await http.ask(`/v1/repos/copy/commits/${head}`);
    expect(answer.body).toMatchObject({
      sha: head,
      tree: await http.world.tree(),
      parents: [SHA],
      timestamp: expect.any(Number),
    });
    expect(Object.keys(answer.body)).toEqual(["sha", "message", "tree", "author_name", "author_email", "timestamp", "parents"]);
    expect((await http.ask(`/v1/repos/copy/commits/${"0".repeat(40)}`)).status).toBe(404);
    expect(await http.ask("/v1/repos/copy/commits/HEAD~1")).toMatchObject({ status: 400, body: { field: "sha" } });
  });

  test.each(["0", "101", "1.5", "x", ""])("are not listed with a limit of %j", async (limit) => {
    expect(await http.ask(`/v1/repos/copy/commits?limit=${limit}`)).toMatchObject({ status: 400, body: { field: "limit" } });
  });
});

describe("access", () => {
  test.each([
    ["no key", {}],
    ["a wrong key", { "x-api-key": `${MASTER_KEY}x` }],
    ["the key where git has it", { authorization: `Basic ${btoa(`x:${MASTER_KEY}`)}` }],
  ])("is refused with %s", async (_, headers) => {
    const answer = await http.ask("/v1/syncs", { headers });
    expect(answer).toMatchObject({ status: 401, body: { code: "UNAUTHORIZED", error: expect.any(String) } });
  });

  test("to a repository named like a word of the API is a refusal, not another route", async () => {
    expect((await http.ask("/v1/repos/team/commits")).body).toMatchObject({ code: "REPOSITORY_NOT_FOUND" });
    expect(await http.ask("/v1/repos/copy/sync")).toMatchObject({ status: 405, body: { code: "METHOD_NOT_ALLOWED" } });
    expect(await http.ask("/v1/repos/team/sync/commits")).toMatchObject({ status: 400, body: { field: "slug" } });
  });
});
