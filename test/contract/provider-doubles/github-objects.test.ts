// The GitHub double's Git Data API: real objects, and GitHub's refusals word for word where clients meet them.
import { App, Octokit } from "octokit";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { GitHubRepository } from "../../support/providers/github/repository.ts";
import { defaultSizes } from "../../support/providers/github/sizes.ts";
import { type GitHubDouble, startGitHub } from "../../support/providers/github/start.ts";
import { type PlainClient, plainClient } from "../../support/providers/plain-client.ts";

const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const UNKNOWN = "1234567890123456789012345678901234567890";

let github: GitHubDouble;
let repository: GitHubRepository;
let call: PlainClient;
let octokit: Octokit;
let path: string;
let head: string;

beforeAll(async () => {
  github = await startGitHub();
});
afterAll(() => github[Symbol.asyncDispose]());

beforeEach(async () => {
  const name = `octocat/r${github.world.repositories.size}`;
  repository = await github.addRepository(name, {
    isPrivate: true,
    files: {
      "README.md": "hello\n",
      "bin/run": { mode: "100755", content: "#!/bin/sh\n" },
      link: { mode: "120000", content: "README.md" },
      module: { mode: "160000", content: UNKNOWN },
    },
  });
  head = (await repository.head()) ?? "";
  const token = github.addToken({ user: "octocat" });
  path = `/repos/${name}`;
  call = plainClient(github.url, token);
  octokit = new Octokit({ auth: token, baseUrl: github.url, throttle: { enabled: false }, retry: { enabled: false } });
  Object.assign(github.world.sizes, defaultSizes());
});

const message = ({ json }: { readonly json: unknown }): string => (json as { message: string }).message;
const sha = ({ json }: { readonly json: unknown }): string => (json as { sha: string }).sha;

async function tree(entries: readonly object[], base: string | null = head) {
  return call("POST", `${path}/git/trees`, { tree: entries, ...(base === null ? {} : { base_tree: base }) });
}

const file = (name: string, content: string, mode = "100644") => ({ path: name, mode, type: "blob", content });
const removal = (name: string) => ({ path: name, mode: "100644", type: "blob", sha: null });

describe("blobs", () => {
  test("have the id that git gives them, through octokit too", async () => {
    const { data } = await octokit.rest.git.createBlob({
      owner: "octocat",
      repo: repository.name,
      content: "aGVsbG8K",
      encoding: "base64",
    });
    expect(data.sha).toBe("ce013625030ba8dba906f756967f9e9ca394464a");
    const read = await octokit.rest.git.getBlob({ owner: "octocat", repo: repository.name, file_sha: data.sha });
    expect(Buffer.from(read.data.content, "base64").toString()).toBe("hello\n");
  });

  test("come as raw bytes where they are asked for", async () => {
    const made = await call("POST", `${path}/git/blobs`, { content: "plain" });
    const raw = await call("GET", `${path}/git/blobs/${sha(made)}`, undefined, { accept: "application/vnd.github.raw+json" });
    expect(raw.text).toBe("plain");
  });

  test("are refused when they are not base64, too large, or hold a secret", async () => {
    expect((await call("POST", `${path}/git/blobs`, { content: "a b", encoding: "base64" })).status).toBe(422);
    github.world.sizes.blobBytes = 4;
    const large = await call("POST", `${path}/git/blobs`, { content: "12345" });
    expect([large.status, message(large)]).toEqual([422, expect.stringContaining("your input was too large to process")]);
    github.world.sizes.blobBytes = 1_000;
    repository.secret = "AKIA-EXAMPLE";
    const secret = await call("POST", `${path}/git/blobs`, { content: "key=AKIA-EXAMPLE" });
    expect(secret.status).toBe(422);
    expect(secret.json).toHaveProperty("metadata.secret_scanning.bypass_placeholders");
  });
});

describe("trees", () => {
  test("take text inline and give the id that git gives", async () => {
    const made = await tree([file("docs/ä.md", "grüße\n"), file("bin/new", "#!/bin/sh\n", "100755")]);
    expect(made.status).toBe(201);
    const listed = await repository.git.list(sha(made), { recursive: true });
    expect(listed.map(({ mode, path: name }) => `${mode} ${Buffer.from(name, "latin1")}`)).toEqual([
      "100644 README.md",
      "100755 bin/new",
      "100755 bin/run",
      "100644 docs/ä.md",
      "120000 link",
      "160000 module",
    ]);
  });

  test("without a base have nothing but their entries", async () => {
    const made = await tree([file("only.txt", "x")], null);
    expect((await repository.git.list(sha(made))).map(({ path: name }) => name)).toEqual(["only.txt"]);
  });

  test("take a commit as well as a tree for their base", async () => {
    const onTree = await tree([file("a", "x")], await repository.git.source.tree());
    expect(sha(onTree)).toBe(sha(await tree([file("a", "x")], head)));
    const bad = await tree([file("a", "x")], UNKNOWN);
    expect([bad.status, message(bad)]).toEqual([422, "base_tree is not a valid tree oid"]);
  });

  test("lose what is named with a null", async () => {
    const made = await tree([
      removal("README.md"),
      removal("bin/run"),
      removal("link"),
      { ...removal("module"), mode: "160000", type: "commit" },
    ]);
    expect(sha(made)).toBe(EMPTY_TREE);
  });

  test("are refused as a whole when a missing file or a folder is removed", async () => {
    for (const entry of [removal("nowhere"), { ...removal("bin"), mode: "040000", type: "tree" }]) {
      const refused = await tree([file("new", "x"), entry]);
      expect([refused.status, message(refused)]).toEqual([422, "GitRPC::BadObjectState"]);
    }
  });

  test("turn a file into a folder and a folder into a file", async () => {
    const folder = await tree([removal("README.md"), file("README.md/inside", "x")]);
    expect((await repository.git.list(sha(folder), { recursive: true })).map(({ path: name }) => name)).toContain(
      "README.md/inside",
    );
    const flat = await tree([removal("bin/run"), file("bin", "x")]);
    expect((await repository.git.list(sha(flat))).map(({ path: name, type }) => `${type} ${name}`)).toContain("blob bin");
    const both = await tree([file("new", "x"), file("new/below", "x")]);
    expect(both.status).toBe(422);
  });

  test("take links and submodules, whose commit need not exist", async () => {
    const target = sha(await call("POST", `${path}/git/blobs`, { content: "README.md" }));
    const made = await tree([
      { path: "second", mode: "120000", type: "blob", sha: target },
      { path: "sub", mode: "160000", type: "commit", sha: "f".repeat(40) },
    ]);
    const modes = (await repository.git.list(sha(made))).filter(({ path: name }) => name === "second" || name === "sub");
    expect(modes.map(({ mode }) => mode)).toEqual(["120000", "160000"]);
  });

  test.each([
    [
      "sha and content at once",
      { ...file("a", "x"), sha: UNKNOWN },
      "Must supply either tree.sha or tree.content. Request will be rejected if both are present.",
    ],
    [
      "neither sha nor content",
      { path: "a", mode: "100644", type: "blob" },
      "Must supply either tree.sha or tree.content. Request will be rejected if both are present.",
    ],
    ["an unknown blob", { path: "a", mode: "100644", type: "blob", sha: UNKNOWN }, "GitRPC::BadObjectState"],
    ["a way out of the tree", file("../a", "x"), "tree.path contains a malformed path component"],
    ["a path into .git", file(".git/config", "x"), "tree.path contains a malformed path component"],
  ])("refuse %s", async (_name, entry, text) => {
    const refused = await tree([entry]);
    expect([refused.status, message(refused)]).toEqual([422, text]);
  });

  test("refuse a mode that there is not", async () => {
    expect((await tree([file("a", "x", "100600")])).status).toBe(422);
  });

  test.each([422, 502, 405] as const)("refuse too many entries with %i, which may have been written", async (status) => {
    Object.assign(github.world.sizes, { treeEntries: 2, treeRefusal: status });
    const entries = ["a", "b", "c"].map((name) => file(name, name));
    expect((await tree(entries)).status).toBe(status);
    github.world.sizes.isTreeWrittenAnyway = true;
    await tree(entries);
    github.world.sizes.treeEntries = 3;
    expect((await tree(entries)).status).toBe(201);
  });

  test("say when a listing was cut, and recurse for any value of recursive", async () => {
    const whole = await call("GET", `${path}/git/trees/main?recursive=0`);
    expect((whole.json as { tree: unknown[] }).tree).toHaveLength(5);
    expect(whole.json).toMatchObject({ truncated: false });
    github.world.sizes.listedEntries = 2;
    expect((await call("GET", `${path}/git/trees/main?recursive=1`)).json).toMatchObject({ truncated: true, tree: [{}, {}] });
  });

  test("with workflow files are 404 without the right for them", async () => {
    const weak = plainClient(github.url, github.addToken({ user: "octocat", scopes: ["repo"] }));
    const body = { base_tree: head, tree: [file(".github/workflows/ci.yml", "on: push\n")] };
    expect(await weak("POST", `${path}/git/trees`, body)).toMatchObject({ status: 404, json: { message: "Not Found" } });
    expect((await call("POST", `${path}/git/trees`, body)).status).toBe(201);
  });
});

describe("commits", () => {
  const commit = (body: object) => call("POST", `${path}/git/commits`, body);

  test("have the id that git computes from people and dates", async () => {
    const person = { name: "Ada", email: "ada@example.com", date: "2026-01-02T03:04:05+02:00" };
    const root = await repository.git.source.tree();
    const made = await commit({ message: "A change", tree: root, parents: [head], author: person, committer: person });
    const text = `tree ${root}\nparent ${head}\nauthor Ada <ada@example.com> 1767315845 +0200\ncommitter Ada <ada@example.com> 1767315845 +0200\n\nA change`;
    expect(sha(made)).toBe(await repository.git.write("commit", Buffer.from(text)));
    expect(await repository.git.source.git("fsck", "--strict", sha(made))).toBe("");
  });

  test("are roots without parents, and are made by the token's user unless said", async () => {
    const made = await commit({ message: "Root", tree: EMPTY_TREE });
    expect(made.json).toMatchObject({
      parents: [],
      author: { name: "octocat" },
      verification: { verified: false, reason: "unsigned" },
    });
  });

  test("are refused with an unknown tree or parent", async () => {
    expect(message(await commit({ message: "x", tree: UNKNOWN }))).toBe("Tree SHA does not exist");
    const refused = await commit({ message: "x", tree: EMPTY_TREE, parents: [UNKNOWN] });
    expect([refused.status, message(refused)]).toEqual([422, "Parent SHA does not exist or is not a commit object"]);
  });

  test("of an App are verified when it names nobody", async () => {
    const app = github.addApp({ permissions: { contents: "write", metadata: "read" } });
    const installation = github.installApp(app, "octocat");
    const quiet = Octokit.defaults({ baseUrl: github.url, throttle: { enabled: false }, retry: { enabled: false } });
    const apps = await new App({ appId: app.id, privateKey: app.privateKeyPem, Octokit: quiet }).getInstallationOctokit(
      installation.id,
    );
    const where = { owner: "octocat", repo: repository.name };
    const own = await apps.rest.git.createCommit({ ...where, message: "x", tree: EMPTY_TREE, parents: [head] });
    expect(own.data.verification.verified).toBe(true);
    const named = await apps.rest.git.createCommit({
      ...where,
      message: "x",
      tree: EMPTY_TREE,
      author: { name: "A", email: "a@b.c" },
    });
    expect(named.data.verification.verified).toBe(false);
  });

  test("answer their id alone, and 304 to who knows it", async () => {
    const accept = { accept: "application/vnd.github.sha" };
    const first = await call("GET", `${path}/commits/heads%2Fmain`, undefined, accept);
    expect([first.status, first.text, first.headers.get("etag")]).toEqual([200, head, `"${head}"`]);
    const before = Number(first.headers.get("x-ratelimit-remaining"));
    const again = await call("GET", `${path}/commits/heads%2Fmain`, undefined, { ...accept, "if-none-match": `"${head}"` });
    expect([again.status, again.text]).toEqual([304, ""]);
    expect(Number(again.headers.get("x-ratelimit-remaining"))).toBe(before);
    await repository.commit({ more: "x" });
    expect((await call("GET", `${path}/commits/main`, undefined, { ...accept, "if-none-match": `"${head}"` })).status).toBe(200);
    expect(await call("GET", `${path}/commits/nowhere`, undefined, accept)).toMatchObject({ status: 422 });
  });
});

test("a comparison never lists more than 300 files", async () => {
  const files = Object.fromEntries(Array.from({ length: 310 }, (_, index) => [`f${index}`, "x"]));
  await repository.commit(files);
  const { data } = await octokit.rest.repos.compareCommitsWithBasehead({
    owner: "octocat",
    repo: repository.name,
    basehead: `${head}...main`,
  });
  expect(data.files).toHaveLength(300);
  expect(data).toMatchObject({ status: "ahead", ahead_by: 1, behind_by: 0 });
});
