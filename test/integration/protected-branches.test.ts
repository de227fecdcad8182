// Protected branches: by push and by the API they are neither deleted nor moved but forward, whoever asks, and however.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type HttpAnswer, type HttpWorld, openHttpWorld } from "../support/http-world.ts";
import { openPushTarget, type PushTarget, packOf, pushCommands, type WorkingCopy } from "../support/push-world.ts";
import { createSourceRepository } from "../support/source-repository.ts";
import { serveSource } from "../support/test-remotes.ts";

const RELEASE = "refs/heads/release/1";
const REASON = /release\/1 is protected by the pattern release\/\*: it (only moves forward|cannot be deleted)\./;

let http: HttpWorld;
let target: PushTarget;
let work: WorkingCopy;
let first: string;
let second: string;
let stack: AsyncDisposableStack;
let count = 0;

beforeAll(async () => {
  http = await openHttpWorld();
});
afterAll(() => http[Symbol.asyncDispose]());

beforeEach(async () => {
  count += 1;
  stack = new AsyncDisposableStack();
  target = stack.use(await openPushTarget(http, `kept-${count}`));
  work = stack.use(await target.clone());
  first = await work.commit({ "a.txt": "one\n" });
  second = await work.commit({ "a.txt": "two\n" });
  await work.git("push", "--quiet", "origin", "main", "main:refs/heads/release/1", "main:refs/heads/fix");
  await protect("release/*");
});
afterEach(() => stack.disposeAsync());

async function protect(...patterns: string[]): Promise<void> {
  const answer = await http.ask(`/v1/repos/${target.name}`, { method: "PATCH", body: { protected_branches: patterns } });
  expect(answer).toMatchObject({ status: 200, body: { protected_branches: patterns } });
}

const ask = (method: string, path: string, body?: unknown): Promise<HttpAnswer> =>
  http.ask(`/v1/repos/${target.name}${path}`, { method, ...(body === undefined ? {} : { body }) });

describe("a push to a protected branch", () => {
  test("goes forward as to any other", async () => {
    const third = await work.commit({ "a.txt": "three\n" });
    await work.git("push", "--quiet", "--force", "origin", "main:release/1");
    expect((await target.refs())[RELEASE]).toBe(third);
  });

  test.each([
    ["back", "main~1"],
    ["to another history", "other"],
  ])("is refused with --force when it goes %s, and the other refs of it are taken", async (_, revision) => {
    await work.git("checkout", "--quiet", "--orphan", "other");
    const other = await work.commit({ "b.txt": "b\n" });
    const { code, stderr } = await work.try("push", "--force", "origin", `${revision}:release/1`, `${revision}:fix`);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/! \[remote rejected\].*release\/1 \(release\/1 is protected/)]);
    const moved = revision === "other" ? other : first;
    expect(await target.refs()).toMatchObject({ [RELEASE]: second, "refs/heads/fix": moved });
  });

  test("fails whole when it is atomic", async () => {
    const { code, stderr } = await work.try("push", "--atomic", "--force", "origin", "main~1:release/1", "main~1:fix");
    expect([code, stderr]).toEqual([1, expect.stringMatching(/atomic push failure/)]);
    expect(stderr).toMatch(REASON);
    expect(await target.refs()).toMatchObject({ [RELEASE]: second, "refs/heads/fix": second });
  });

  test("does not delete it, neither alone nor as a mirror", async () => {
    for (const args of [
      ["origin", ":release/1"],
      ["--mirror", target.url],
    ]) {
      const { code, stderr } = await work.try("push", ...args);
      expect([code, stderr]).toEqual([1, expect.stringMatching(REASON)]);
    }
    // The mirror has had its way with everything else.
    expect(await target.refs()).toMatchObject({ "refs/heads/main": second, [RELEASE]: second });
    expect(await target.refs()).not.toHaveProperty(["refs/heads/fix"]);
  });

  test("makes it, and only then is it kept", async () => {
    await work.git("push", "--quiet", "origin", "main~1:refs/heads/release/2");
    const { code } = await work.try("push", "origin", ":release/2");
    expect([code, (await target.refs())["refs/heads/release/2"]]).toEqual([1, first]);
  });

  test("that is on its way when the branch becomes protected is refused by what is the case at its end", async () => {
    await protect();
    const repository = await http.world.repository(target.name);
    const bytes = Buffer.concat([pushCommands([{ ref: RELEASE, old: second, new: first }]), await packOf(work.path, first)]);
    const begun = Promise.withResolvers<void>();
    const isProtected = Promise.withResolvers<void>();
    const body = new ReadableStream({
      async start(controller) {
        controller.enqueue(bytes.subarray(0, -20));
        begun.resolve();
        await isProtected.promise;
        controller.enqueue(bytes.subarray(-20));
        controller.close();
      },
    });
    const answer = target.post(body);
    await begun.promise;
    await protect("release/*");
    isProtected.resolve();
    expect(await (await answer).text()).toMatch(REASON);
    expect(await http.world.store.reader(repository).readRef(RELEASE)).toBe(second);
  });
});

describe("the API", () => {
  const refused = { status: 409, body: { code: "BRANCH_PROTECTED", branch: "release/1", pattern: "release/*" } };

  test("does not delete a protected branch", async () => {
    expect(await ask("DELETE", "/branches/release/1")).toMatchObject(refused);
    expect(await ask("DELETE", `/refs/heads/release/1?expected_sha=${second}`)).toMatchObject(refused);
    expect(await ask("DELETE", "/branches/fix")).toMatchObject({ status: 200 });
  });

  test("does not move it back, with or without force", async () => {
    for (const force of [true, false])
      expect(await ask("PUT", "/refs/heads/release/1", { sha: first, force })).toMatchObject(refused);
    expect(await ask("PUT", "/refs/heads/fix", { sha: first, force: true })).toMatchObject({ status: 200 });
    expect((await target.refs())[RELEASE]).toBe(second);
  });

  test("moves it forward, also by force, and commits to it", async () => {
    await work.git("push", "--quiet", "origin", "main~1:refs/heads/release/2");
    expect(await ask("PUT", "/refs/heads/release/2", { sha: second, force: true })).toMatchObject({ status: 200 });
    const commit = {
      branch: "release/2",
      message: "Change",
      author: { name: "Ada", email: "ada@example.com" },
      changes: [{ path: "b", content: "b" }],
    };
    expect(await ask("POST", "/commits", commit)).toMatchObject({ status: 201, body: { parent_sha: second } });
  });

  test("lets go of it when the pattern is taken away, and keeps patterns through other changes", async () => {
    await ask("PATCH", "", { description: "x" });
    expect((await ask("GET", "")).body).toMatchObject({ description: "x", protected_branches: ["release/*"] });
    await protect();
    expect(await ask("DELETE", "/branches/release/1")).toMatchObject({ status: 200 });
  });

  test("takes patterns when the repository is made", async () => {
    const body = { slug: `${target.name}-new`, protected_branches: ["main", "v*"] };
    expect((await http.ask("/v1/repos", { method: "POST", body })).body).toMatchObject({ protected_branches: ["main", "v*"] });
  });

  test.each([
    [["a b"]],
    [[""]],
    [["refs/heads/main"]],
    [["-x"]],
    [["a..b"]],
    [["release/"]],
    [["[ab]"]],
    [["x".repeat(245)]],
    [["main", 1]],
    ["main"],
    [null],
    [Array.from({ length: 51 }, (_, index) => `b${index}`)],
  ])("refuses the patterns %j", async (patterns) => {
    const answer = await ask("PATCH", "", { protected_branches: patterns });
    expect(answer).toMatchObject({ status: 400, body: { field: expect.stringMatching(/^protected_branches/) } });
    expect((await ask("GET", "")).body.protected_branches).toEqual(["release/*"]);
  });
});

test("a resource's patterns hold, and the API does not change them", async () => {
  await http.world.declarations.declareRepository({
    owner: { kind: "resource", ref: "uid" },
    namespace: "default",
    slug: target.name,
    defaultBranch: "main",
    protectedBranches: ["fix"],
    description: "",
    visibility: "private",
    deletionPolicy: "Retain",
  });
  expect(await ask("PATCH", "", { protected_branches: [] })).toMatchObject({ status: 409, body: { code: "MANAGED" } });
  expect((await ask("GET", "")).body.protected_branches).toEqual(["fix"]);
  expect(await ask("DELETE", "/branches/fix")).toMatchObject({ status: 409, body: { pattern: "fix" } });
});

test("an import into a protected branch goes on, since it only adds", async () => {
  await using source = await createSourceRepository();
  const start = await source.commit({ "a.txt": "one\n" });
  await source.commit({ "a.txt": "two\n" });
  await using server = await serveSource(source);
  const engine = await http.world.startEngine();
  const body = { slug: "imported", protected_branches: ["**"] };
  expect((await http.ask("/v1/repos", { method: "POST", body })).status).toBe(201);
  const sync = await http.world.declare(server.remoteUrl, { onDivergence: "Overwrite" }, "imported");
  await http.world.settle(engine, sync);
  // The source is rewritten; here that is one more commit.
  await source.branch("main", start);
  await source.commit({ "a.txt": "three\n" });
  await http.world.triggers.run(sync.id, {}, AbortSignal.timeout(20_000));
  expect((await http.world.declarations.readSync(sync.id))?.lastError).toBeNull();
  expect(await http.world.git(["rev-list", "--count", "main"], "imported")).toBe("2");
});
