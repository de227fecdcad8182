// The GitLab double's one call that writes: strict verbs, modes as Gitaly has them, all or nothing, and no compare-and-swap.
import { Gitlab } from "@gitbeaker/rest";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ManualTime } from "../../support/manual-time.ts";
import type { GitLabProject } from "../../support/providers/gitlab/project.ts";
import { type GitLabDouble, startGitLab } from "../../support/providers/gitlab/start.ts";
import { type PlainClient, plainClient } from "../../support/providers/plain-client.ts";

let gitlab: GitLabDouble;
let project: GitLabProject;
let call: PlainClient;
let token: string;
let first: string;

beforeAll(async () => {
  gitlab = await startGitLab();
  token = gitlab.addToken({ user: "group" });
  call = plainClient(`${gitlab.url}/api/v4`, token);
});
afterAll(() => gitlab[Symbol.asyncDispose]());

beforeEach(async () => {
  project = await gitlab.addProject(`group/sub/p${gitlab.world.projects.size}`, {
    files: {
      a: "1",
      "dir/b": "2",
      run: { mode: "100755", content: "x" },
      link: { mode: "120000", content: "a" },
      module: { mode: "160000", content: "1".repeat(40) },
    },
    members: { dev: "developer" },
  });
  first = (await project.head()) ?? "";
});

const path = () => `/projects/${project.id}/repository/commits`;
const commit = (actions: readonly object[], more: object = {}) =>
  call("POST", path(), { branch: "main", commit_message: "A change", actions, ...more });
const create = (name: string, content = "new") => ({ action: "create", file_path: name, content });
const refused = (message: string) => ({ status: 400, json: { message } });
const modes = async () =>
  Object.fromEntries((await project.git.list("main", { recursive: true })).map(({ path: name, mode }) => [name, mode]));

describe("a commit", () => {
  test("has its actions applied in order, as gitbeaker sends them, in one commit by the token's user", async () => {
    const api = new Gitlab({ host: gitlab.url, oauthToken: token });
    const made = await api.Commits.create(project.fullPath, "main", "A change", [
      { action: "create", filePath: "new", content: "bmV3", encoding: "base64" },
      { action: "update", filePath: "new", content: "newer" },
      { action: "move", previousPath: "a", filePath: "moved" },
      { action: "delete", filePath: "dir/b" },
    ]);
    expect(await project.head()).toBe(made.id);
    expect(made).toMatchObject({ parent_ids: [first], committer_name: "group", author_name: "group", title: "A change" });
    expect(Object.keys(await modes())).toEqual(["link", "module", "moved", "new", "run"]);
    expect(await project.git.source.git("show", "main:new")).toBe("newer");
  });

  test("may name its author, and has no numbers of lines where none are wanted", async () => {
    const made = await commit([create("x")], { author_name: "Ada", author_email: "ada@example.com", stats: false });
    expect(made).toMatchObject({ status: 201, json: { author_name: "Ada", committer_name: "group" } });
    expect(made.json).not.toHaveProperty("stats");
    expect((await commit([create("y")])).json).toHaveProperty("stats.additions", 1);
  });

  test.each([
    ["a file that is there cannot be made", [create("a")], "A file with this name already exists"],
    [
      "a missing file cannot be updated",
      [{ action: "update", file_path: "no", content: "" }],
      "A file with this name doesn't exist",
    ],
    ["a missing file cannot be deleted", [{ action: "delete", file_path: "no" }], "A file with this name doesn't exist"],
    [
      "a missing file cannot be moved",
      [{ action: "move", file_path: "x", previous_path: "no" }],
      "A file with this name doesn't exist",
    ],
    [
      "a missing file has no mode",
      [{ action: "chmod", file_path: "no", execute_filemode: true }],
      "A file with this name doesn't exist",
    ],
    [
      "a submodule cannot be moved",
      [{ action: "move", file_path: "x", previous_path: "module" }],
      "A file with this name doesn't exist",
    ],
    ["a path stays inside", [create("../x")], "Path cannot include directory traversal"],
    ["a path is not git's own", [create(".git/x")], "invalid path: '.git/x'"],
    ["a path is not empty", [create("")], "You must provide a file path"],
    ["base64 has no blanks", [{ ...create("x", "bmV 3"), encoding: "base64" }], "illegal base64 data"],
  ])("is refused as a whole: %s", async (_name, actions, message) => {
    expect(await commit([create("good"), ...actions])).toMatchObject(refused(message));
    expect(await project.head()).toBe(first);
  });

  test.each([
    ["branch", { branch: undefined }, "branch is required"],
    ["message", { commit_message: "" }, "commit_message is required"],
    ["actions", { actions: [] }, "actions is required"],
    [
      "a known verb",
      { actions: [{ action: "upsert", file_path: "x" }] },
      "actions[0][action] must be one of: create, update, move, delete, chmod",
    ],
    [
      "content for an update",
      { actions: [{ action: "update", file_path: "a" }] },
      "actions[0][content] is required for update action",
    ],
    ["a known encoding", { actions: [{ ...create("x"), encoding: "hex" }] }, "actions[0][encoding] must be text or base64"],
    ["one start", { start_branch: "main", start_sha: "x" }, "start_branch, start_sha are mutually exclusive"],
  ])("needs %s", async (_name, fields, text) => {
    expect(await commit([create("x")], fields)).toMatchObject(refused(`400 Bad request - ${text}`));
  });

  test("is refused in other words before 18.7, and for what is not JSON", async () => {
    await using old = await startGitLab({ version: "17.0.0" });
    const { id } = await old.addProject("group/p", { files: { a: "1" } });
    const answer = await plainClient(`${old.url}/api/v4`, old.addToken({ user: "group" }))(
      "POST",
      `/projects/${id}/repository/commits`,
      { branch: "main" },
    );
    expect(answer).toMatchObject({ status: 400, json: { error: "commit_message is missing" } });
    expect((await call("POST", path(), "{")).status).toBe(400);
  });

  test("forgives line breaks in base64", async () => {
    expect((await commit([{ ...create("x", "bm\r\nV3\n"), encoding: "base64" }])).status).toBe(201);
    expect(await project.git.source.git("show", "main:x")).toBe("new");
  });

  test("is refused when a file has changed since the commit that the caller names", async () => {
    await project.commit({ a: "2" });
    const update = (last_commit_id: string) => commit([{ action: "update", file_path: "a", content: "3", last_commit_id }]);
    expect(await update(first)).toMatchObject(refused("The file has changed since you started editing it: a"));
    expect((await update((await project.head()) ?? "")).status).toBe(201);
  });

  test("is not refused when other files have changed since the commit that the caller names", async () => {
    await project.commit({ other: "2" });
    expect((await commit([{ action: "update", file_path: "a", content: "3", last_commit_id: first }])).status).toBe(201);
    expect((await commit([{ action: "delete", file_path: "dir/b", last_commit_id: first }])).status).toBe(201);
  });
});

describe("modes", () => {
  test("of new files are plain until a chmod in the same commit", async () => {
    await commit([
      create("x"),
      { action: "chmod", file_path: "x", execute_filemode: true },
      { action: "chmod", file_path: "run", execute_filemode: false },
    ]);
    expect(await modes()).toMatchObject({ x: "100755", run: "100644" });
  });

  test("of links survive an update and not a chmod, and a submodule becomes a file without a word", async () => {
    await commit([
      { action: "update", file_path: "link", content: "dir/b" },
      { action: "update", file_path: "module", content: "x" },
    ]);
    expect(await modes()).toMatchObject({ link: "120000", module: "100644" });
    await commit([{ action: "chmod", file_path: "link", execute_filemode: true }]);
    expect(await modes()).toMatchObject({ link: "100755" });
  });

  test("do not keep a folder from becoming a file", async () => {
    expect((await commit([create("dir")])).status).toBe(201);
    expect(await modes()).not.toHaveProperty("dir/b");
  });
});

describe("branches", () => {
  test("get whatever parent they have when the call is processed: there is no compare-and-swap", async () => {
    gitlab.faults.order(/POST .*commits$/, { kind: "before", run: () => project.commit({ side: "1" }) });
    const made = await commit([create("x")]);
    expect((made.json as { parent_ids: string[] }).parent_ids).not.toEqual([first]);
  });

  test("are made from a start, which an existing branch takes only by force and then loses its commits", async () => {
    expect(await commit([create("x")], { branch: "new" })).toMatchObject(
      refused("You can only create or edit files when you are on a branch"),
    );
    expect((await commit([create("x")], { branch: "new", start_branch: "main" })).status).toBe(201);
    const second = await project.commit({ a: "2" });
    const exists = "A branch called 'main' already exists. Switch to that branch in order to make changes";
    expect(await commit([create("x")], { start_sha: first })).toMatchObject(refused(exists));
    const forced = await commit([create("x")], { start_sha: first, force: true });
    expect(forced.json).toMatchObject({ parent_ids: [first] });
    expect(await project.git.isAncestor(second, (await project.head()) ?? "")).toBe(false);
    expect(await commit([create("x")], { branch: "b", start_sha: "main" })).toMatchObject(refused("Invalid start_sha 'main'"));
  });

  test("that are protected refuse with 403, push rules with 400", async () => {
    const dev = plainClient(`${gitlab.url}/api/v4`, gitlab.addToken({ user: "dev" }));
    const body = { branch: "main", commit_message: "x", actions: [create("x")] };
    project.protectedBranches.push({ name: "main", push: 40, allowsForcePush: false });
    expect(await dev("POST", path(), body)).toMatchObject({
      status: 403,
      json: { message: "403 Forbidden - You are not allowed to push into this branch" },
    });
    expect((await call("POST", path(), body)).status).toBe(201);
    const forced = await call("POST", path(), { ...body, start_sha: first, force: true, actions: [create("y")] });
    expect(forced).toMatchObject(
      refused("GitLab: You are not allowed to force push code to a protected branch on this project."),
    );
    project.pushRule = "Commit message must match";
    expect(await call("POST", path(), body)).toMatchObject(refused("Commit message must match"));
  });
});

describe("an empty project", () => {
  test("says so, has no tree and no branch, and takes a first commit of new files alone", async () => {
    project = await gitlab.addProject(`group/e${gitlab.world.projects.size}`);
    const at = `/projects/${project.id}`;
    expect((await call("GET", at)).json).toMatchObject({ empty_repo: true });
    expect(await call("GET", `${at}/repository/tree`)).toMatchObject({ status: 404, json: { message: "404 Tree Not Found" } });
    expect(await call("GET", `${at}/repository/branches/main`)).toMatchObject({
      status: 404,
      json: { message: "404 Branch Not Found" },
    });
    expect((await commit([{ action: "delete", file_path: "a" }])).status).toBe(400);
    expect((await commit([create("a")])).json).toMatchObject({ parent_ids: [] });
    expect((await call("GET", at)).json).toMatchObject({ empty_repo: false, default_branch: "main" });
  });
});

describe("sizes", () => {
  test("above the web server's are 413 in HTML, large ones are few in half a minute, and actions are counted", async () => {
    await using small = await startGitLab({ clock: new ManualTime() });
    const { id } = await small.addProject("group/p", { files: { a: "1" } });
    const api = plainClient(`${small.url}/api/v4`, small.addToken({ user: "group" }));
    const post = (name: string, bytes: number) =>
      api("POST", `/projects/${id}/repository/commits`, {
        branch: "main",
        commit_message: "x",
        actions: [create(name, "x".repeat(bytes))],
      });
    Object.assign(small.limits, { commitBytes: 3_000, largeCommitBytes: 1_000, largeCommits: 1 });
    const huge = await post("h", 3_000);
    expect([huge.status, huge.json]).toEqual([413, undefined]);
    expect((await post("one", 1_000)).status).toBe(201);
    const limited = await post("two", 1_000);
    expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "30"]);
    expect(limited.headers.get("ratelimit-remaining")).not.toBe("0");
    small.limits.actions = 0;
    expect((await post("three", 10)).status).toBe(400);
  });
});
