// What people do with git all day, by native git and isomorphic-git, against the program as it is run.
import fs from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import isomorphicGit from "isomorphic-git";
import isomorphicHttp from "isomorphic-git/http/node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ApiProgram, startApiProgram } from "../support/api-program.ts";
import { git, tryGit } from "../support/git.ts";

/** Commits of the history that the reading habits look at; each is an hour after the one before. */
const COMMITS = 12;
const FIRST_SECONDS = 1_700_000_000;

let program: ApiProgram;
let folder: string;
let slug: string;
let url: string;
let count = 0;

type Copy = { readonly path: string; git(...args: string[]): Promise<string>; commit(file: string): Promise<string> };

beforeAll(async () => {
  program = await startApiProgram();
});
afterAll(() => program[Symbol.asyncDispose]());

beforeEach(async () => {
  count += 1;
  folder = await mkdtemp(join(tmpdir(), "coregit-habits-"));
  await makeRepository(`habits-${count}`);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function api(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const headers = { "x-api-key": program.key, "content-type": "application/json" };
  const response = await fetch(`${program.url}/v1${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  return (await response.json()) as Record<string, unknown>;
}

async function makeRepository(name: string, fields: Record<string, unknown> = {}): Promise<void> {
  await api("POST", "/repos", { slug: name, ...fields });
  slug = name;
  url = `${program.url.replace("://", `://any:${program.key}@`)}/${slug}.git`;
}

let copies = 0;

async function clone(...options: string[]): Promise<Copy> {
  copies += 1;
  const path = join(folder, `copy-${copies}`);
  await git(["-c", "init.defaultBranch=main", "clone", "--quiet", ...options, url, path]);
  const inside = (...args: string[]) => git(["-C", path, ...args]);
  return {
    path,
    git: inside,
    async commit(file) {
      await writeFile(join(path, file), `${file}\n`);
      await inside("add", "--all");
      await inside("commit", "--quiet", `--message=${file}`);
      return inside("rev-parse", "HEAD");
    },
  };
}

async function withHistory(): Promise<Copy> {
  const copy = await clone();
  for (let index = 0; index < COMMITS; index += 1) {
    await writeFile(join(copy.path, `${index}.txt`), `${index}\n`);
    await copy.git("add", "--all");
    const date = `${FIRST_SECONDS + index * 3_600} +0000`;
    const env = { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
    await git(["-C", copy.path, "commit", "--quiet", `--message=${index}`], { env });
  }
  await copy.git("push", "--quiet", "origin", "main");
  return copy;
}

const depth = async (copy: Copy) => Number(await copy.git("rev-list", "--count", "HEAD"));
const remoteRefs = async () => (await git(["ls-remote", url])).split("\n").map((line) => line.split("\t")[1] ?? "");

describe("an empty repository", () => {
  test.each(["0", "1", "2"])("is cloned and gets its first commit, by protocol version %s", async (version) => {
    const copy = await clone("-c", `protocol.version=${version}`);
    const head = await copy.commit("first");
    await copy.git("push", "--quiet", "--set-upstream", "origin", "main");
    expect(await (await clone()).git("rev-parse", "HEAD")).toBe(head);
  });

  test("has the default branch that it was made with, which a clone checks out", async () => {
    await makeRepository(`${slug}-trunk`, { default_branch: "trunk" });
    const copy = await clone();
    expect(await copy.git("symbolic-ref", "HEAD")).toBe("refs/heads/trunk");
    const head = await copy.commit("first");
    await copy.git("push", "--quiet", "origin", "trunk");
    await copy.git("push", "--quiet", "origin", "trunk:main");
    expect(await git(["ls-remote", "--symref", url, "HEAD"])).toBe(`ref: refs/heads/trunk\tHEAD\n${head}\tHEAD`);
    expect(await (await clone()).git("symbolic-ref", "--short", "HEAD")).toBe("trunk");
  });
});

describe("two people", () => {
  test("pull by merging and by rebasing what the other pushed", async () => {
    const [ada, bob] = [await withHistory(), await clone()];
    await ada.commit("ada");
    await ada.git("push", "--quiet");
    await bob.commit("bob");
    await bob.git("pull", "--quiet", "--no-rebase", "--no-edit");
    await bob.git("push", "--quiet");
    await ada.commit("ada-2");
    await ada.git("pull", "--quiet", "--rebase");
    await ada.git("push", "--quiet");
    await bob.git("fetch", "--quiet");
    expect(await bob.git("rev-parse", "origin/main")).toBe(await ada.git("rev-parse", "HEAD"));
    expect(await ada.git("rev-list", "--count", "--merges", "HEAD")).toBe("1");
  });

  test("push branches and tags, and see them come and go", async () => {
    const [ada, bob] = [await withHistory(), await clone()];
    await ada.git("switch", "--quiet", "--create", "feature/x");
    await ada.commit("feature");
    await ada.git("tag", "light");
    await ada.git("tag", "--annotate", "--message=One", "v1");
    await ada.git("push", "--quiet", "--set-upstream", "origin", "feature/x", "--follow-tags");
    await ada.git("push", "--quiet", "--tags");
    await bob.git("fetch", "--quiet", "--tags");
    expect(await bob.git("rev-parse", "v1^{commit}", "light")).toBe(await ada.git("rev-parse", "HEAD", "HEAD"));
    expect(await remoteRefs()).toContain("refs/tags/v1^{}");
    await ada.git("push", "--quiet", "--delete", "origin", "feature/x", "v1", "light");
    await bob.git("fetch", "--quiet", "--prune", "--prune-tags");
    expect(await bob.git("for-each-ref", "--format=%(refname)", "refs/remotes", "refs/tags")).toBe(
      "refs/remotes/origin/HEAD\nrefs/remotes/origin/main",
    );
  });

  test("overwrite each other only when they have seen what they overwrite", async () => {
    const [ada, bob] = [await withHistory(), await clone()];
    await ada.commit("ada");
    await ada.git("push", "--quiet");
    await bob.git("commit", "--quiet", "--amend", "--message=Other");
    const refused = await tryGit(["-C", bob.path, "push", "--force-with-lease", "origin", "main"]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("stale info")]);
    await bob.git("fetch", "--quiet");
    await bob.git("push", "--quiet", "--force-with-lease", "origin", "main");
    expect(await git(["ls-remote", url, "refs/heads/main"])).toContain(await bob.git("rev-parse", "HEAD"));
  });

  test("push several refs all or nothing", async () => {
    const [ada, bob] = [await withHistory(), await clone()];
    await ada.commit("ada");
    await ada.git("push", "--quiet");
    await bob.commit("bob");
    const { code } = await tryGit(["-C", bob.path, "push", "--atomic", "origin", "main", "main:refs/heads/extra"]);
    expect([code, await remoteRefs()]).toEqual([1, ["HEAD", "refs/heads/main"]]);
    await bob.git("pull", "--quiet", "--rebase");
    await bob.git("push", "--quiet", "--atomic", "origin", "main", "main:refs/heads/extra");
    expect(await remoteRefs()).toEqual(["HEAD", "refs/heads/extra", "refs/heads/main"]);
  });
});

test("a mirror goes away and comes back whole", async () => {
  const copy = await withHistory();
  await copy.git("tag", "--annotate", "--message=One", "v1");
  await copy.git("push", "--quiet", "origin", "main:refs/heads/old", "main~3:refs/notes/x", "v1");
  const mirror = await clone("--mirror");
  const refs = (await remoteRefs()).filter((name) => name !== "HEAD");
  await makeRepository(`${slug}-mirror`);
  await mirror.git("push", "--quiet", "--mirror", url);
  expect((await remoteRefs()).filter((name) => name !== "HEAD")).toEqual(refs);
  await mirror.git("update-ref", "-d", "refs/heads/old");
  await mirror.git("push", "--quiet", "--mirror", url);
  expect(await remoteRefs()).not.toContain("refs/heads/old");
});

describe("part of a history", () => {
  test("is cloned shallow, deepened, and made whole", async () => {
    await withHistory();
    const copy = await clone("--depth=1");
    expect(await depth(copy)).toBe(1);
    await copy.git("fetch", "--quiet", "--deepen=2");
    expect(await depth(copy)).toBe(3);
    await copy.git("fetch", "--quiet", `--shallow-since=${FIRST_SECONDS + 5 * 3_600}`);
    expect(await depth(copy)).toBe(COMMITS - 5);
    await copy.git("fetch", "--quiet", "--unshallow");
    expect(await depth(copy)).toBe(COMMITS);
    const since = await clone(`--shallow-since=${FIRST_SECONDS + 10 * 3_600}`);
    expect(await depth(since)).toBe(2);
    const head = await since.commit("shallow");
    await since.git("push", "--quiet");
    await copy.git("pull", "--quiet", "--ff-only");
    expect([await copy.git("rev-parse", "HEAD"), await depth(copy)]).toEqual([head, COMMITS + 1]);
  });

  test("is cloned without what single-branch, a filter or a sparse checkout leaves out, and fetched when it is needed", async () => {
    const whole = await withHistory();
    await whole.git("push", "--quiet", "origin", "main~2:refs/heads/other");
    const single = await clone("--single-branch", "--branch=other", "--no-tags");
    expect(await single.git("branch", "--remotes", "--format=%(refname:short)")).toBe("origin/other");
    const partial = await clone("--filter=blob:none", "--no-checkout");
    const missing = async () =>
      (await partial.git("rev-list", "--objects", "--all", "--missing=print")).split("\n").filter((line) => line.startsWith("?"));
    expect(await missing()).toHaveLength(COMMITS);
    expect(await partial.git("show", "HEAD~1:3.txt")).toBe("3");
    expect(await missing()).toHaveLength(COMMITS - 1);
    await partial.git("checkout", "--quiet", "main");
    expect(await missing()).toEqual([]);
    const treeless = await clone("--filter=tree:0", "--bare");
    expect(await treeless.git("log", "--oneline", "main", "--", "5.txt")).toMatch(/^\w+ 5$/);
  });

  test("is fetched by the id of a commit that a branch leads to, and by no other id", async () => {
    const copy = await withHistory();
    const old = await copy.git("rev-parse", "main~5");
    const empty = join(folder, "empty");
    await git(["init", "--quiet", empty]);
    await git(["-C", empty, "fetch", "--quiet", "--depth=1", url, old]);
    expect(await git(["-C", empty, "rev-parse", "FETCH_HEAD"])).toBe(old);
    const { code } = await tryGit(["-C", empty, "fetch", "--quiet", url, "f".repeat(40)]);
    expect(code).not.toBe(0);
  });
});

describe("what is not served", () => {
  test("is refused with a status that git can tell", async () => {
    await withHistory();
    const answers = await Promise.all(
      [
        ["GET", "info/refs"],
        ["GET", "info/refs?service=git-upload-archive"],
        ["GET", "HEAD"],
        ["GET", "objects/info/packs"],
        ["GET", `objects/${"a".repeat(2)}/${"b".repeat(38)}`],
        ["GET", "config"],
        ["GET", "../../etc/passwd"],
        ["POST", "git-upload-archive"],
        ["DELETE", "git-receive-pack"],
        ["PROPFIND", "HEAD"],
      ].map(async ([method, path]) => {
        const headers = { "x-api-key": program.key };
        const { status } = await fetch(`${program.url}/${slug}.git/${path}`, { method: String(method), headers });
        return `${method} ${path} ${status}`;
      }),
    );
    for (const answer of answers) expect(answer).toMatch(/ 4\d\d$/);
  });

  test("archives of a remote, which git says in a sentence", async () => {
    await withHistory();
    const { code, stderr } = await tryGit(["archive", `--remote=${url}`, "main"]);
    expect([code, stderr]).toEqual([128, expect.stringMatching(/^(fatal|error|remote): /)]);
  });
});

test("isomorphic-git clones, fetches, commits and pushes", async () => {
  const copy = await withHistory();
  const dir = join(folder, "iso");
  const onAuth = () => ({ username: "any", password: program.key });
  const remote = { fs, http: isomorphicHttp, dir, url: `${program.url}/${slug}.git`, onAuth };
  await isomorphicGit.clone({ ...remote, singleBranch: true, depth: 2 });
  expect(await isomorphicGit.log({ fs, dir })).toHaveLength(2);
  const theirs = await copy.commit("theirs");
  await copy.git("push", "--quiet");
  expect((await isomorphicGit.fetch({ ...remote, ref: "main" })).fetchHead).toBe(theirs);
  await isomorphicGit.fastForward({ ...remote, ref: "main", singleBranch: true });
  await writeFile(join(dir, "iso.txt"), "iso\n");
  await isomorphicGit.add({ fs, dir, filepath: "iso.txt" });
  const mine = await isomorphicGit.commit({ fs, dir, message: "Iso", author: { name: "Ada", email: "ada@example.com" } });
  expect((await isomorphicGit.push({ ...remote, ref: "main" })).ok).toBe(true);
  await copy.git("pull", "--quiet", "--ff-only");
  expect(await copy.git("rev-parse", "HEAD")).toBe(mine);
});
