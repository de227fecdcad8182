// Exports to the GitLab double: what its API carries and what git does, in how many requests, and what becomes of a branch that moves
// under a commit that no compare-and-swap protects.
import { describe, expect, it } from "vitest";
import { stageGitLab } from "../support/export-stage.ts";
import type { ServedGitLab, ServedGitLabOptions } from "../support/served-gitlab.ts";
import { README } from "../support/served-remote.ts";
import { manyFiles, type SourceFile } from "../support/source-repository.ts";

const stage = stageGitLab();

const routes = () => stage.double.requests.map(({ route }) => route ?? "");
const pushes = () => routes().filter((route) => route === "git receive-pack").length;
const commits = () => routes().filter((route) => route.startsWith("POST ") && route.endsWith("/repository/commits")).length;
const latin1 = (text: string): string => Buffer.from(text).toString("latin1");
const COMMITS = /POST .*\/repository\/commits/;

/** All that GitLab's API writes exactly. */
const PLAIN: Readonly<Record<string, SourceFile>> = {
  "bin/run": { mode: "100755", content: "#!/bin/sh\n" },
  "image.png": Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff, 0xfe]),
  "nul.txt": "a\0b",
  empty: "",
  "bom.txt": "\ufeffbom",
  "quote.txt": 'a","b":"123n',
  [latin1("ünï/日本語 name.txt")]: "unicode\n",
  'odd "name" * [x].txt': "quoted\n",
  "large.txt": "long line\n".repeat(40_000),
};

/** What only git carries. */
const ODD: readonly [what: string, files: Readonly<Record<string, SourceFile>>][] = [
  ["a symbolic link", { latest: { mode: "120000", content: "README.md" } }],
  ["a submodule", { "vendor/lib": { mode: "160000", content: "1".repeat(40) } }],
  ["a name that is not UTF-8", { "caf\xe9": "1\n" }],
  ["line ends of Windows", { "crlf.txt": "one\r\ntwo\r\n" }],
  ["a large file", { big: "x".repeat(16_000_000) }],
  ["more than 500 files", manyFiles(501)],
];

/** Exported once, so that the next change is one on top of that. */
async function exported(options?: ServedGitLabOptions): Promise<ServedGitLab> {
  const here = await stage.serve(options);
  await here.editHere({ ...README, a: "0\n", b: "0\n" });
  expect((await here.declare()).lastError).toBeNull();
  stage.double.clear();
  return here;
}

describe("an export to GitLab", () => {
  it("of one changed file takes three requests at most, and its tree is known without another", async () => {
    const here = await exported();
    await here.editHere({ a: "1\n" });
    expect(await here.runAgain()).toMatchObject({ lastError: null, lastRun: { added: 0, modified: 1, deleted: 0 } });
    expect(await here.treeThere()).toBe(await here.treeHere());
    expect(commits()).toBe(1);
    expect(routes().length).toBeLessThanOrEqual(3);
    const [run] = await here.runs();
    expect(run).toMatchObject({
      status: "success",
      commitSha: await here.remote.head(),
      remoteCalls: routes().length,
      receivedBytes: 0,
    });
  });

  it("of 1,000 files is one commit, pushed", async () => {
    const here = await stage.serve();
    await here.editHere({ ...README, ...manyFiles(1_000) });
    expect(await here.declare()).toMatchObject({ lastError: null, lastRun: { added: 1_000 } });
    expect(await here.treeThere()).toBe(await here.treeHere());
    expect([await here.commitsThere(), pushes(), commits()]).toEqual([2, 1, 0]);
  });

  it("writes modes, binary content and odd names exactly, and then has nothing to do", async () => {
    const here = await stage.serve();
    await here.editHere({ ...README, ...PLAIN });
    expect((await here.declare({ transport: "api" })).lastError).toBeNull();
    expect(await here.treeThere()).toBe(await here.treeHere());
    expect([pushes(), commits()]).toEqual([0, 1]);
    stage.double.clear();
    await here.runAgain();
    expect(routes()).toEqual(["git upload-pack"]);
  });

  it("replaces a file by a folder and a folder by a file, deletes, and changes modes alone", async () => {
    const here = await stage.serve({ files: { a: "file\n", "b/c": "1\n", "b/d": "2\n", gone: "x\n", tool: "run\n" } });
    await here.editHere({ "a/x": "1\n", "a/y": "2\n", b: "file\n", tool: { mode: "100755", content: "run\n" } });
    expect((await here.declare({ transport: "api", onDivergence: "Overwrite" })).lastError).toBeNull();
    expect(await here.treeThere()).toBe(await here.treeHere());
    expect([await here.commitsThere(), commits()]).toEqual([2, 1]);
  });

  it.each(ODD)("of %s is pushed, and refused where the API is demanded", async (_, files) => {
    const here = await stage.serve();
    await here.editHere({ ...README, ...files });
    const demanded = await here.declare({ transport: "api" });
    expect(demanded.lastErrorCode).toBe("TransportUnsuited");
    expect([await here.commitsThere(), commits(), pushes()]).toEqual([1, 0, 0]);
    expect((await here.declare()).lastError).toBeNull();
    expect(await here.treeThere()).toBe(await here.treeHere());
    expect([await here.commitsThere(), commits(), pushes()]).toEqual([2, 0, 1]);
  });

  it("of whatever git can hold to an empty project is pushed, comes back the same, and leaves nothing to do", async () => {
    const here = await stage.serve({ files: null });
    const odd = Object.assign({}, ...ODD.slice(0, 4).map(([, files]) => files));
    await here.editHere({ ...PLAIN, ...odd, ...manyFiles(2_000) });
    expect((await here.declare()).lastError).toBeNull();
    const tree = await here.treeHere();
    expect([await here.treeThere(), commits(), pushes()]).toEqual([tree, 0, 1]);
    stage.double.clear();
    await here.runAgain();
    expect(routes()).toEqual(["git upload-pack"]);
    await here.remote.commit({ theirs: "1\n" });
    expect((await here.declare({ direction: "import" })).lastError).toBeNull();
    expect(await here.treeHere()).toBe(await here.treeThere());
    await here.remote.git.source.git("fsck", "--strict");
  });

  it("follows a project that has moved", async () => {
    const here = await exported();
    stage.double.moveProject(here.remote, `group/other/${here.name}`);
    await here.editHere({ a: "1\n" });
    expect((await here.runAgain()).lastError).toBeNull();
    expect(await here.treeThere()).toBe(await here.treeHere());
    expect(await here.commitsThere()).toBe(3);
  });
});

describe("a branch that moves between plan and commit", () => {
  const race = (here: ServedGitLab, files: Readonly<Record<string, SourceFile>>): void =>
    stage.double.faults.order(COMMITS, { kind: "before", run: () => here.remote.commit(files) });

  it("at another path gets the commit on top, which is recorded as what it is", async () => {
    const here = await exported();
    await here.editHere({ a: "1\n" });
    race(here, { theirs: "1\n" });
    expect(await here.runAgain()).toMatchObject({ lastError: null, lastRun: { modified: 1 } });
    expect(await here.remote.git.source.git("show", "main:theirs", "main:a")).toBe("1\n1");
    expect(await here.commitsThere()).toBe(4);
    expect((await here.runs())[0]).toMatchObject({ status: "success", commitSha: await here.remote.head() });
    stage.double.clear();
    await here.runAgain();
    expect(routes()).toEqual(["git upload-pack"]);
    await here.editHere({ a: "2\n" });
    expect((await here.runAgain()).lastError).toBeNull();
    expect(await here.remote.git.source.git("show", "main:theirs", "main:a")).toBe("1\n2");
  });

  it("at another path is no success where the target is to be equal, and the next run makes it so", async () => {
    const here = await exported();
    await here.declare({ onDivergence: "Overwrite" });
    await here.editHere({ a: "1\n" });
    race(here, { theirs: "1\n" });
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: "RemoteTreeDiffers" });
    expect(await here.runAgain()).toMatchObject({ lastError: null });
    expect(await here.treeThere()).toBe(await here.treeHere());
  });

  it("at the same path keeps what is there", async () => {
    const here = await exported();
    await here.editHere({ a: "1\n" });
    race(here, { a: "theirs\n" });
    const status = await here.runAgain();
    expect(status).toMatchObject({ lastErrorCode: "Conflict" });
    expect((await here.runs())[0]).toMatchObject({ details: { paths: ["a"] } });
    expect(await here.remote.git.source.git("show", "main:a")).toBe("theirs");
    expect(await here.commitsThere()).toBe(3);
  });

  it("by a file that is made at the same path keeps what is there", async () => {
    const here = await exported();
    await here.editHere({ made: "1\n" });
    race(here, { made: "theirs\n" });
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: "Conflict" });
    expect(await here.remote.git.source.git("show", "main:made")).toBe("theirs");
  });

  it("and whose answer is lost as well is recorded once", async () => {
    const here = await exported();
    await here.editHere({ a: "1\n" });
    // After the head was read, and before the commit.
    stage.double.faults.order(/git-upload-pack/, { kind: "after", run: () => here.remote.commit({ theirs: "1\n" }) });
    stage.double.faults.order(COMMITS, { kind: "loseAnswer" });
    expect((await here.runAgain()).lastError).toBeNull();
    expect(stage.double.faults.pending).toBe(0);
    expect(await here.remote.git.source.git("show", "main:theirs", "main:a")).toBe("1\n1");
    expect((await here.runs())[0]).toMatchObject({ status: "success", commitSha: await here.remote.head(), modified: 1 });
    await here.runAgain();
    expect([await here.commitsThere(), commits()]).toEqual([4, 1]);
    await here.editHere({ a: "2\n" });
    expect((await here.runAgain()).lastError).toBeNull();
    expect(await here.remote.git.source.git("show", "main:theirs", "main:a")).toBe("1\n2");
  });
});
