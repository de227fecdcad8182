// Comparisons, diffs and patches over HTTP, against what native git says of the same commits.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Oid } from "../../src/domain/oid.ts";
import { git, gitBytes } from "../support/git.ts";
import { addRepository } from "../support/git-store.ts";
import { type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";
import { pushSource } from "../support/push-source.ts";
import { findGit } from "../support/running-git.ts";
import { createSourceRepository, manyFiles, type SourceRepository } from "../support/source-repository.ts";
import { until } from "../support/until.ts";

const SUBMODULE = "1234567890123456789012345678901234567890";
const LONG = Array.from({ length: 60 }, (_, index) => `line ${index}\n`).join("");

let http: HttpWorld;
let source: SourceRepository;
let root: Oid;
let fork: Oid;
let head: Oid;

beforeAll(async () => {
  source = await createSourceRepository();
  root = await source.commit({
    "a.txt": "a\n",
    "gone.txt": "gone\n",
    "old name.txt": LONG,
    "kind.txt": "file\n",
    "bin.dat": "\0one",
  });
  fork = await source.commit({ "b.txt": "b\n" });
  await source.branch("feature/x", fork);
  await source.commit({ "main.txt": "only on main\n" });
  await source.commit({ "a.txt": "a\nmore\n", "gone.txt": null, "new.txt": "1\n2\n3\n" }, { branch: "feature/x" });
  head = await source.commit(
    {
      "old name.txt": null,
      "new name.txt": `${LONG}one more line\n`,
      "kind.txt": { mode: "120000", content: "a.txt" },
      "bin.dat": "\0two",
      "b.txt": { mode: "100755", content: "b\n" },
      "caf\xe9.txt": "odd\n",
      lib: { mode: "160000", content: SUBMODULE },
    },
    { branch: "feature/x" },
  );
  await source.git("tag", "-m", "annotated", "v1", "feature/x");
  await source.commit({ "alone.txt": "another beginning\n" }, { branch: "orphan" });
  await source.commit(manyFiles(1_100), { branch: "wide" });
  await source.commit({ "big.txt": "many lines\n".repeat(1_100_000) }, { branch: "big" });
  await source.commit({ "noise.txt": noise(1) }, { branch: "slow" });
  await source.branch("slow2", await source.head("slow"));
  await source.commit({ "noise.txt": noise(2) }, { branch: "slow2" });
  http = await openHttpWorld();
  await pushSource(http.world.store, await addRepository(http.world.database, "copy"), source);
  await addRepository(http.world.database, "blank");
}, 120_000);

afterAll(async () => {
  await http[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
});

/** Lines of which many recur, in no order: what git takes longest to compare. */
function noise(seed: number): string {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % 1_000;
  };
  return Array.from({ length: 500_000 }, () => `${next()} x\n`).join("");
}

const ask = (path: string) => http.ask(`/v1/repos/copy/${path}`);
const fetchText = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${http.url}/v1/repos/copy/${path}`, { headers: { "x-api-key": MASTER_KEY, ...headers } });
const blobAt = (path: string) => source.git("rev-parse", `feature/x:${path}`);

describe("a comparison", () => {
  test("says where two branches parted, how far each has come, and what changed", async () => {
    const { status, body } = await ask("compare/main...feature/x");
    const file = async (path: string, rest: Record<string, unknown>) => ({
      path,
      status: "modified",
      additions: 0,
      deletions: 0,
      binary: false,
      mode: "100644",
      sha: await blobAt(path),
      ...rest,
    });
    expect([status, body]).toEqual([
      200,
      {
        base_sha: await source.head(),
        head_sha: head,
        merge_base_sha: fork,
        ahead_by: 2,
        behind_by: 1,
        commits: [expect.objectContaining({ sha: head }), expect.objectContaining({ message: "Commit 4", parents: [fork] })],
        files: [
          await file("a.txt", { additions: 1 }),
          await file("b.txt", { mode: "100755" }),
          await file("bin.dat", { binary: true }),
          {
            ...(await file("b.txt", { status: "added", additions: 1 })),
            path: "caf\\xe9.txt",
            path_base64: Buffer.from("caf\xe9.txt", "latin1").toString("base64"),
            sha: expect.stringMatching(/^[0-9a-f]{40}$/),
          },
          await file("a.txt", { path: "gone.txt", status: "deleted", deletions: 1, mode: null, sha: null }),
          await file("kind.txt", { status: "typechanged", mode: "120000", additions: 1, deletions: 1 }),
          { ...(await file("a.txt", { path: "lib", status: "added", additions: 1, mode: "160000" })), sha: SUBMODULE },
          await file("new name.txt", { status: "renamed", additions: 1, old_path: "old name.txt" }),
          await file("new.txt", { status: "added", additions: 3 }),
        ],
        changed_files: 9,
        additions: 8,
        deletions: 2,
        truncated: false,
      },
    ]);
    for (const form of [
      "compare/main...feature%2Fx",
      "compare?base=main&head=feature/x",
      "compare?base=refs/heads/main&head=v1",
      `compare/${(await source.head()).slice(0, 8)}...${head}`,
    ]) {
      expect((await ask(form)).body).toEqual(body);
    }
    expect((await http.ask("/v1/repos/default/copy/compare/main...feature/x")).body).toEqual(body);
  });

  test("of a commit with itself is empty", async () => {
    expect((await ask("compare/main...main")).body).toMatchObject({
      ...{ ahead_by: 0, behind_by: 0, commits: [], files: [], changed_files: 0, truncated: false },
      merge_base_sha: await source.head(),
    });
  });

  test("has as many commits as asked for and says when there are more", async () => {
    expect((await ask("compare/main...feature/x?limit=1")).body).toMatchObject({
      ahead_by: 2,
      commits: [{ sha: head }],
      truncated: true,
    });
    expect((await ask("compare/main...feature/x?limit=2")).body).toMatchObject({ truncated: false });
  });

  test("of unrelated histories is refused and says what can be had instead", async () => {
    expect(await ask("compare/main...orphan")).toMatchObject({ status: 422, body: { code: "UNRELATED_HISTORIES" } });
    expect(await ask("diff?base=main&head=orphan&merge_base=true")).toMatchObject({ body: { code: "UNRELATED_HISTORIES" } });
    expect(await ask("diff?base=main&head=orphan&format=json")).toMatchObject({
      status: 200,
      body: { base_sha: await source.head() },
    });
  });

  test.each([
    ["compare/main...none", 404, "REF_NOT_FOUND"],
    ["compare/main..feature/x", 400, "INVALID_REQUEST"],
    ["compare/main", 400, "INVALID_REQUEST"],
    ["compare/...main", 400, "INVALID_REQUEST"],
    ["compare/a...b...c", 400, "INVALID_REQUEST"],
    ["compare?base=main", 400, "INVALID_REQUEST"],
    ["compare/main...main?limit=101", 400, "INVALID_REQUEST"],
    ["compare/main...main%00", 400, "INVALID_REQUEST"],
    ["diff?base=main&head=none", 404, "REF_NOT_FOUND"],
    ["diff?base=main&head=main&format=xml", 400, "INVALID_REQUEST"],
    ["commits/main/diff", 400, "INVALID_REQUEST"],
    ["commits/abcdef0123/diff", 404, "REF_NOT_FOUND"],
  ])("at %s is refused with %i", async (path, status, code) => {
    expect(await ask(path)).toMatchObject({ status, body: { code, error: expect.any(String) } });
  });

  test.each(["--output=/tmp/coregit-x", "HEAD^{/x}", "@{-1}", ":/x", "main^{tree}", "-p", "^main", "main@{1}"])(
    "does not know the revision %j",
    async (revision) => {
      const named = encodeURIComponent(revision);
      const routes = [`compare?base=${named}&head=main`, `compare/main...${named}`, `diff?base=main&head=${named}`];
      for (const route of routes) expect(await ask(route)).toMatchObject({ status: 404, body: { code: "REF_NOT_FOUND" } });
    },
  );

  test("in a repository without commits finds no branch", async () => {
    for (const route of ["compare/main...main", "diff?base=main&head=main"]) {
      expect(await http.ask(`/v1/repos/blank/${route}`)).toMatchObject({ status: 404, body: { code: "REF_NOT_FOUND" } });
    }
  });
});

describe("a diff", () => {
  test("is the patch that git makes, and applies", async () => {
    const answer = await fetchText("diff?base=main&head=feature/x");
    expect(answer.headers.get("content-type")).toBe("text/x-patch; charset=utf-8");
    const patch = Buffer.from(await answer.arrayBuffer());
    expect(patch).toEqual(await gitBytes(["-C", source.path, "diff-tree", "-p", "-M", "--full-index", "main", "feature/x"]));
    expect(answer.headers.get("content-length")).toBe(String(patch.length));
  });

  test("from where the branches parted is what a comparison shows", async () => {
    const expected = await gitBytes(["-C", source.path, "diff-tree", "-p", "-M", "--full-index", fork, head]);
    const answer = await fetchText("diff?base=main&head=feature/x&merge_base=true");
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(expected);
    const { files, additions, deletions } = (await ask("compare/main...feature/x")).body;
    expect((await ask("diff?base=main&head=feature/x&merge_base=true&format=json")).body).toEqual({
      ...{ base_sha: fork, head_sha: head, files, additions, deletions, changed_files: 9, truncated: false },
    });
  });

  test("of a commit is against its first parent, of the first one against nothing", async () => {
    const change = await (await fetchText(`commits/${head}/diff`)).text();
    expect(change).toContain("rename from old name.txt");
    expect((await ask(`commits/${root.slice(0, 7)}/diff?format=json`)).body).toMatchObject({
      base_sha: null,
      head_sha: root,
      files: [{ status: "added" }, { status: "added" }, { status: "added" }, { status: "added" }, { status: "added" }],
    });
  });

  test("of nothing is empty", async () => {
    const answer = await fetchText("diff?base=main&head=main");
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
  });

  test("that the client has is not made again", async () => {
    const etag = (await fetchText("diff?base=main&head=feature/x")).headers.get("etag") ?? "";
    expect((await fetchText("diff?base=main&head=feature/x", { "if-none-match": etag })).status).toBe(304);
    expect((await fetchText("diff?base=main&head=feature/x&format=json", { "if-none-match": etag })).status).toBe(200);
  });

  test("that is too large is refused as a patch and shown as a list", async () => {
    expect(await ask("diff?base=orphan&head=big")).toMatchObject({
      status: 422,
      body: { code: "ANSWER_TOO_LARGE", error: expect.stringContaining("10485760") },
    });
    expect((await ask("diff?base=orphan&head=big&format=json")).body).toMatchObject({
      files: [{ path: "alone.txt" }, { path: "big.txt", additions: 1_100_000 }],
    });
  });

  test("of more files than are shown has the first ones and their whole number", async () => {
    const { body } = await ask("diff?base=orphan&head=wide&format=json");
    const listed = (await git(["-C", source.path, "diff-tree", "-r", "--name-only", "orphan", "wide"])).split("\n");
    expect(body).toMatchObject({ changed_files: listed.length, truncated: true });
    expect((body.files as { path: string }[]).map(({ path }) => path)).toEqual(listed.slice(0, 1_000));
  });

  test("ends when the client goes away, and lets the next one have its turn", async () => {
    const abort = new AbortController();
    const headers = { "x-api-key": MASTER_KEY };
    const diffing = () => findGit(process.pid, /diff-tree/);
    const requests = Array.from({ length: 4 }, () =>
      fetch(`${http.url}/v1/repos/copy/diff?base=slow&head=slow2`, { headers, signal: abort.signal }),
    );
    await until("git compares", async () => (await diffing()).length > 0);
    abort.abort();
    await Promise.allSettled(requests);
    // Left alone each of them takes several seconds.
    await until("no git compares any more", async () => (await diffing()).length === 0, 2_000);
    expect((await fetchText("diff?base=main&head=feature/x")).status).toBe(200);
  });

  test("is not governed by attributes in the repository", async () => {
    const files = { ".gitattributes": "*.txt binary diff=evil\n", "evil.txt": "one\n" };
    const hidden = await source.commit(files, { branch: "hidden" });
    await pushSource(http.world.store, await addRepository(http.world.database, "hidden"), source);
    expect((await http.ask(`/v1/repos/hidden/commits/${hidden}/diff`)).body.text).toContain("+one");
  });
});
