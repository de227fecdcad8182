// Exports by GitHub's API to the GitHub double: what arrives, and in how many requests.
import { describe, expect, it } from "vitest";
import type { Credential } from "../../src/domain/credential.ts";
import { stageGitHub } from "../support/export-stage.ts";
import type { GitHubRepository } from "../support/providers/github/repository.ts";
import { README } from "../support/served-remote.ts";
import { manyFiles, type SourceFile } from "../support/source-repository.ts";

const stage = stageGitHub();

const pushes = () => stage.double.requests.filter(({ route }) => route === "git receive-pack");

/** A tree with everything that git can hold and GitHub's API can write. */
const ODD_FILES: Readonly<Record<string, SourceFile>> = {
  "bin/run": { mode: "100755", content: "#!/bin/sh\n" },
  latest: { mode: "120000", content: "bin/run" },
  "vendor/lib": { mode: "160000", content: "1".repeat(40) },
  "image.png": Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff, 0xfe]),
  "nul.txt": "a\0b",
  empty: "",
  "crlf.txt": "one\r\ntwo\r\n",
  "bom.txt": "\ufeffbom",
  "quote.txt": 'a","b":"123n',
  [latin1("ünï/日本語 name.txt")]: "unicode\n",
  'odd "name"\t\n.txt': "quoted\n",
  "large.txt": "long line\n".repeat(40_000),
};

function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

describe("an export to GitHub", () => {
  it("of 1,000 text files takes no more than 12 requests in all, and of one changed file no more than 4 of the API", async () => {
    const here = await stage.serve();
    await here.editHere({ ...README, ...manyFiles(1_000) });
    const status = await here.declare();
    expect(status).toMatchObject({ lastError: null, lastRun: { added: 1_000, modified: 0, deleted: 0 } });
    expect(await here.treeThere()).toBe(await here.treeHere());
    expect(stage.double.requests.length).toBeLessThanOrEqual(12);
    expect(pushes()).toEqual([]);
    stage.double.clear();
    await here.editHere({ "folder-000/part-0/file-000001.txt": "changed\n" });
    expect(await here.runAgain()).toMatchObject({ lastError: null, lastRun: { added: 0, modified: 1, deleted: 0 } });
    expect(await here.treeThere()).toBe(await here.treeHere());
    expect(here.apiCalls().length).toBeLessThanOrEqual(4);
    expect((await here.runs())[0]).toMatchObject({
      status: "success",
      remoteCalls: stage.double.requests.length,
      receivedBytes: 0,
    });
  });

  it("writes links, submodules, modes, binary content and odd names exactly, and then has nothing to do", async () => {
    const here = await stage.serve();
    await here.editHere({ ...README, ...ODD_FILES });
    const status = await here.declare({ transport: "api" });
    expect(status.lastError).toBeNull();
    expect(await here.treeThere()).toBe(await here.treeHere());
    expect(pushes()).toEqual([]);
    // Binary, NUL and large: blobs. All else is text in the trees.
    expect(here.apiCalls().filter(({ route }) => route?.endsWith("/git/blobs"))).toHaveLength(3);
    stage.double.clear();
    await here.runAgain();
    expect(stage.double.requests).toHaveLength(1);
    expect(stage.double.requests[0]?.method === "POST" && stage.double.requests[0].route).toBe("git upload-pack");
  });

  it("replaces a file by a folder and a folder by a file, deletes, and changes modes alone", async () => {
    const here = await stage.serve({ files: { a: "file\n", "b/c": "1\n", "b/d": "2\n", gone: "x\n", tool: "run\n" } });
    await here.editHere({ "a/x": "1\n", "a/y": "2\n", b: "file\n", tool: { mode: "100755", content: "run\n" } });
    const status = await here.declare({ transport: "api", onDivergence: "Overwrite" });
    expect(status.lastError).toBeNull();
    expect(await here.treeThere()).toBe(await here.treeHere());
    expect(await here.remote.git.source.git("rev-list", "--count", "main")).toBe("2");
  });

  it("makes a branch that is not there in a repository that has others", async () => {
    const here = await stage.serve();
    await here.editHere({ a: "1\n" });
    const status = await here.declare({ transport: "api", remoteBranch: "release/1.0" });
    expect(status.lastError).toBeNull();
    expect(await here.remote.git.resolve("refs/heads/release/1.0", "tree")).toBe(await here.treeHere());
    expect(await here.remote.git.source.git("rev-list", "--count", "release/1.0")).toBe("1");
  });

  it("of an App is signed by GitHub, unless the declaration names an author", async () => {
    const app = stage.double.addApp({ permissions: { contents: "write", metadata: "read" } });
    const installed = (repository: GitHubRepository): Credential => {
      const { id } = stage.double.installApp(app, "octocat", [repository]);
      return { kind: "app", appId: String(app.id), installationId: String(id), privateKey: app.privateKeyPem };
    };
    const signed = await stage.serve({ credential: installed });
    signed.remote.rules.push({ branch: "main", by: "protection", requires: "signatures" });
    await signed.editHere({ ...README, a: "1\n" });
    expect((await signed.declare()).lastError).toBeNull();
    expect(signed.remote.verified).toContain(await signed.head());
    expect(await signed.treeThere()).toBe(await signed.treeHere());

    const own = await stage.serve({ credential: installed });
    await own.editHere({ ...README, a: "1\n" });
    expect((await own.declare({ commitAuthor: { name: "Grace", email: "g@example.com" } })).lastError).toBeNull();
    expect(own.remote.verified).not.toContain(await own.head());
    expect(await own.remote.git.source.git("log", "-1", "--format=%an <%ae> %cn", "main")).toBe("Grace <g@example.com> Grace");
  });

  it("follows a repository that was renamed", async () => {
    const here = await stage.serve();
    await here.editHere({ ...README, a: "1\n" });
    await here.declare({ transport: "api" });
    const renamed = `${here.remote.name}-renamed`;
    stage.double.moveRepository(here.remote, `octocat/${renamed}`);
    await here.editHere({ a: "2\n" });
    expect((await here.runAgain()).lastError).toBeNull();
    expect(await here.treeThere()).toBe(await here.treeHere());
  });
});
