// The GitHub double's refs: fast-forward is not compare-and-swap, protection has its own words, and an empty repository takes nothing.
import { Octokit } from "octokit";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { GitHubRepository } from "../../support/providers/github/repository.ts";
import { type GitHubDouble, startGitHub } from "../../support/providers/github/start.ts";
import { type PlainClient, plainClient } from "../../support/providers/plain-client.ts";

const ZERO = "0".repeat(40);
const UNKNOWN = "1234567890123456789012345678901234567890";

let github: GitHubDouble;
let repository: GitHubRepository;
let call: PlainClient;
let path: string;
let token: string;
let first: string;
let second: string;
let aside: string;

beforeAll(async () => {
  github = await startGitHub();
});
afterAll(() => github[Symbol.asyncDispose]());

beforeEach(async () => {
  const name = `octocat/r${github.world.repositories.size}`;
  repository = await github.addRepository(name, { files: { a: "1" } });
  first = (await repository.head()) ?? "";
  second = await repository.commit({ a: "2" });
  await repository.setRef("refs/heads/aside", first);
  aside = await repository.commit({ a: "3" }, { branch: "aside" });
  token = github.addToken({ user: "octocat" });
  path = `/repos/${name}`;
  call = plainClient(github.url, token);
});

const refused = (message: string) => ({ status: 422, json: { message, status: "422" } });
const patch = (oid: string, force?: boolean, branch = "main") =>
  call("PATCH", `${path}/git/refs/heads%2F${branch}`, { sha: oid, ...(force === undefined ? {} : { force }) });

describe("refs", () => {
  test("move forward, and stay where they are", async () => {
    await repository.setRef("refs/heads/main", first);
    expect(await patch(second)).toMatchObject({
      status: 200,
      json: { ref: "refs/heads/main", object: { sha: second, type: "commit" } },
    });
    expect((await patch(second)).status).toBe(200);
  });

  test("are not moved sideways or back without force", async () => {
    expect(await patch(aside)).toMatchObject(refused("Update is not a fast forward"));
    expect(await patch(first)).toMatchObject(refused("Update is not a fast forward"));
    expect((await patch(first, true)).status).toBe(200);
    expect(await repository.head()).toBe(first);
  });

  test("that somebody set back take a fast-forward all the same: no compare-and-swap", async () => {
    const third = await repository.commit({ a: "4" });
    await repository.setRef("refs/heads/main", first);
    expect((await patch(third)).status).toBe(200);
  });

  test("that are missing are 404 for readers and 422 for writers", async () => {
    expect((await call("GET", `${path}/git/ref/heads%2Fnowhere`)).status).toBe(404);
    expect(await patch(second, false, "nowhere")).toMatchObject(refused("Reference does not exist"));
    expect(await call("DELETE", `${path}/git/refs/heads/nowhere`)).toMatchObject(refused("Reference does not exist"));
    expect(await patch(UNKNOWN)).toMatchObject(refused("Object does not exist"));
  });

  test("are made once, from whole names", async () => {
    const make = (ref: string, oid = first) => call("POST", `${path}/git/refs`, { ref, sha: oid });
    expect((await make("refs/heads/feature/x y".replace(" ", "-"))).status).toBe(201);
    expect(await make("refs/heads/main")).toMatchObject(refused("Reference already exists"));
    expect((await make("heads/main")).status).toBe(422);
    expect((await make("refs/heads/two..dots")).status).toBe(422);
    expect(await make("refs/heads/new", UNKNOWN)).toMatchObject(refused("Object does not exist"));
  });

  test("with slashes are found encoded and plain", async () => {
    await repository.setRef("refs/heads/a/b", first);
    expect((await call("GET", `${path}/git/ref/heads%2Fa%2Fb`)).status).toBe(200);
    expect((await call("GET", `${path}/git/ref/heads/a/b`)).status).toBe(200);
    expect((await call("GET", `${path}/branches/a%2Fb`)).json).toMatchObject({ name: "a/b", commit: { sha: first } });
    expect((await call("GET", `${path}/git/matching-refs/heads/a`)).json).toHaveLength(2);
  });

  test("lag behind for as many reads as ordered, for every kind of reader", async () => {
    const third = await repository.commit({ a: "5" });
    repository.lag(3);
    const read = async (url: string) => (await call("GET", `${path}${url}`)).text;
    for (const url of ["/git/ref/heads/main", "/branches/main", "/commits/main"]) expect(await read(url)).toContain(second);
    expect(await read("/git/ref/heads/main")).toContain(third);
  });
});

describe("an empty repository", () => {
  beforeEach(async () => {
    const name = `octocat/r${github.world.repositories.size}`;
    repository = await github.addRepository(name);
    path = `/repos/${name}`;
  });

  test.each([
    ["GET", "/git/ref/heads/main", undefined],
    ["GET", "/git/trees/main", undefined],
    ["GET", "/commits/main", undefined],
    ["POST", "/git/blobs", { content: "x" }],
    ["POST", "/git/trees", { tree: [{ path: "a", mode: "100644", type: "blob", content: "x" }] }],
    ["POST", "/git/commits", { message: "x", tree: ZERO }],
    ["POST", "/git/refs", { ref: "refs/heads/main", sha: ZERO }],
  ])("answers 409 to %s %s", async (method, url, body) => {
    expect(await call(method, `${path}${url}`, body)).toMatchObject({
      status: 409,
      json: { message: "Git Repository is empty." },
    });
  });

  test("has size 0, and takes its first file by the contents API", async () => {
    expect((await call("GET", path)).json).toMatchObject({ size: 0, default_branch: "main" });
    const body = { message: "First", content: Buffer.from("hi\n").toString("base64") };
    const made = await call("PUT", `${path}/contents/docs/README.md`, body);
    expect(made).toMatchObject({
      status: 201,
      json: { content: { path: "docs/README.md" }, commit: { parents: [], message: "First" } },
    });
    expect(await repository.git.source.git("show", "main:docs/README.md")).toBe("hi");
    expect(await call("PUT", `${path}/contents/docs/README.md`, body)).toMatchObject({ status: 422 });
    expect(await call("PUT", `${path}/contents/docs/README.md`, { ...body, sha: first })).toMatchObject({ status: 409 });
  });
});

describe("protection", () => {
  test("is refused in the words of its kind", async () => {
    const third = await repository.git.source.git("commit-tree", "-p", second, "-m", "x", `${second}^{tree}`);
    repository.rules.push({ branch: "main", by: "protection", requires: "statusChecks" });
    expect(await patch(third)).toMatchObject(refused('Required status check "ci" is expected.'));
    repository.rules.splice(0, 1, { branch: "main", by: "ruleset", requires: "pullRequest" });
    expect(await patch(third)).toMatchObject(
      refused("Repository rule violations found\n\nChanges must be made through a pull request."),
    );
    expect((await patch(aside, true, "aside")).status).toBe(200);
  });

  test("by a ruleset shows under the branch's rules, by the classic kind at the branch", async () => {
    repository.rules.push({ branch: "main", by: "ruleset", requires: "pullRequest" });
    expect((await call("GET", `${path}/branches/main`)).json).toMatchObject({ protected: false });
    expect((await call("GET", `${path}/rules/branches/main`)).json).toMatchObject([{ type: "pull_request" }]);
    repository.rules.push({ branch: "main", by: "protection", requires: "nobody" });
    expect((await call("GET", `${path}/branches/main`)).json).toMatchObject({ protected: true });
  });

  test("of signatures lets only verified commits through, and force can be forbidden alone", async () => {
    repository.rules.push({ branch: "main", by: "ruleset", requires: "signatures" });
    const third = await repository.git.source.git("commit-tree", "-p", second, "-m", "x", `${second}^{tree}`);
    expect((await patch(third)).status).toBe(422);
    repository.verified.add(third);
    expect((await patch(third)).status).toBe(200);
    repository.rules.splice(0, 1, { branch: "main", by: "protection", requires: "fastForward" });
    expect(await patch(first, true)).toMatchObject(refused("Cannot force-push to this protected branch"));
  });

  test("of names keeps branches from being made", async () => {
    repository.rules.push({ branch: "*", by: "ruleset", requires: "noCreation", bypass: ["somebody"] });
    const made = await call("POST", `${path}/git/refs`, { ref: "refs/heads/new", sha: first });
    expect(made).toMatchObject(refused("Reference update failed"));
  });
});

describe("GraphQL", () => {
  const UPDATE = "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }";
  const client = () =>
    new Octokit({ auth: token, baseUrl: github.url, throttle: { enabled: false }, retry: { enabled: false } }).graphql;
  const update = (...refUpdates: object[]) => client()(UPDATE, { input: { repositoryId: repository.nodeId, refUpdates } });
  const main = (beforeOid: string, afterOid: string, more = {}) => ({ name: "refs/heads/main", beforeOid, afterOid, ...more });

  test("moves a ref only from the value that is expected", async () => {
    const third = await repository.git.source.git("commit-tree", "-p", second, "-m", "x", `${second}^{tree}`);
    await expect(update(main(first, third))).rejects.toMatchObject({ errors: [{ path: ["updateRefs"] }] });
    expect(await repository.head()).toBe(second);
    await update(main(second, third));
    expect(await repository.head()).toBe(third);
  });

  test("moves all refs or none, makes and deletes with zeros, and forces only when asked", async () => {
    await expect(update({ name: "refs/heads/new", beforeOid: ZERO, afterOid: first }, main(first, second))).rejects.toThrow();
    expect(await repository.head("new")).toBeNull();
    await update(
      { name: "refs/heads/new", beforeOid: ZERO, afterOid: first },
      { name: "refs/heads/aside", beforeOid: aside, afterOid: ZERO },
    );
    expect([await repository.head("new"), await repository.head("aside")]).toEqual([first, null]);
    await expect(update(main(second, first))).rejects.toThrow("Update is not a fast forward");
    await update(main(second, first, { force: true }));
    expect(await repository.head()).toBe(first);
  });

  test("answers errors with status 200, and refuses fields that there are not", async () => {
    const answer = await call("POST", "/graphql", {
      query: UPDATE,
      variables: { input: { repositoryId: "nobody", refUpdates: [] } },
    });
    expect(answer).toMatchObject({ status: 200, json: { data: { updateRefs: null }, errors: [{ type: "NOT_FOUND" }] } });
    const unknown = await call("POST", "/graphql", { query: "query { viewer { login password } }" });
    expect(unknown).toMatchObject({
      status: 200,
      json: { errors: [{ message: "Field 'password' doesn't exist on type 'Viewer'" }] },
    });
    expect((await plainClient(github.url, null)("POST", "/graphql", { query: "{ viewer { login } }" })).status).toBe(401);
  });

  test("knows a repository's node id, also at an Enterprise server's address", async () => {
    const query =
      'query { repository(owner: "octocat", name: "NAME") { id isEmpty ref(qualifiedName: "refs/heads/main") { target { oid } } } }';
    const answer = await call("POST", "/api/graphql", { query: query.replace("NAME", repository.name) });
    expect(answer.json).toEqual({
      data: { repository: { id: repository.nodeId, isEmpty: false, ref: { target: { oid: second } } } },
    });
  });

  test("commits on a branch at its expected head, signed, and loses every mode", async () => {
    const head = await repository.commit({ "bin/run": { mode: "100755", content: "x" } });
    const mutation = "mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }";
    const input = (expectedHeadOid: string) => ({
      branch: { repositoryNameWithOwner: repository.fullName, branchName: "main" },
      message: { headline: "Change" },
      expectedHeadOid,
      fileChanges: { additions: [{ path: "bin/run", contents: "eQ==" }], deletions: [{ path: "a" }] },
    });
    await expect(client()(mutation, { input: input(first) })).rejects.toMatchObject({ errors: [{ type: "STALE_DATA" }] });
    const { createCommitOnBranch: made } = await client()<{ createCommitOnBranch: { commit: { oid: string } } }>(mutation, {
      input: input(head),
    });
    expect(
      (await repository.git.list(made.commit.oid, { recursive: true })).map(({ mode, path: name }) => `${mode} ${name}`),
    ).toEqual(["100644 bin/run"]);
    expect(repository.verified.has(made.commit.oid)).toBe(true);
  });
});
