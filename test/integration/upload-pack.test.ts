// Clones and fetches by real git clients: native git and isomorphic-git.

import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import isomorphicGit from "isomorphic-git";
import isomorphicHttp from "isomorphic-git/http/node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Engine } from "../../src/sync/engine.ts";
import { git, tryGit } from "../support/git.ts";
import type { GitHttpServer } from "../support/git-http-server.ts";
import { type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";
import { createSourceRepository, manyFiles, type SourceRepository } from "../support/source-repository.ts";
import { serveSource } from "../support/test-remotes.ts";
import { until } from "../support/until.ts";

let http: HttpWorld;
let source: SourceRepository;
let server: GitHttpServer & { readonly remoteUrl: string };
let engine: Engine;
let target: string;

beforeAll(async () => {
  source = await createSourceRepository();
  await source.commit({ "README.md": "one\n", ...manyFiles(200) });
  // Incompressible, and more than the buffers between git and a client that does not read.
  await source.commit({ "large.bin": randomBytes(24 * 1024 * 1024) });
  server = await serveSource(source);
  http = await openHttpWorld();
  engine = await http.world.startEngine();
  const sync = await http.world.declare(server.remoteUrl);
  await http.world.settle(engine, sync);
  await source.commit({ "README.md": "two\n" });
  await http.world.triggers.run(sync.id, {}, AbortSignal.timeout(20_000));
});

afterAll(async () => {
  await http[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
});

beforeEach(async () => {
  target = await mkdtemp(join(tmpdir(), "coregit-clone-"));
});
afterEach(() => rm(target, { recursive: true, force: true }));

const inTarget = (...args: string[]) => git(["-C", target, ...args]);

describe("git over HTTP", () => {
  test.each(["0", "1", "2"])("native git clones by protocol version %s", async (version) => {
    await git(["-c", `protocol.version=${version}`, "clone", "--quiet", http.gitUrl(), target]);
    expect(await inTarget("rev-parse", "HEAD^{tree}")).toBe(await source.tree());
    expect(await inTarget("rev-list", "--count", "HEAD")).toBe("2");
    await inTarget("fsck", "--full", "--strict");
  });

  test("the bare slug and default/slug are one repository", async () => {
    const head = await http.world.head();
    for (const name of ["copy", "default/copy"])
      expect(await git(["ls-remote", http.gitUrl(name), "HEAD"])).toBe(`${head}\tHEAD`);
  });

  test("a shallow clone has one commit, and can be deepened", async () => {
    await git(["clone", "--quiet", "--depth=1", http.gitUrl(), target]);
    expect(await inTarget("rev-list", "--count", "HEAD")).toBe("1");
    await inTarget("fetch", "--quiet", "--unshallow");
    expect(await inTarget("rev-list", "--count", "HEAD")).toBe("2");
  });

  test("a partial clone leaves the blobs and fetches them when they are read", async () => {
    await git(["clone", "--quiet", "--bare", "--filter=blob:none", http.gitUrl(), target]);
    const missing = await inTarget("rev-list", "--objects", "--all", "--missing=print");
    expect(missing.match(/^\?/gm)?.length).toBeGreaterThan(100);
    expect(await inTarget("cat-file", "-p", "HEAD:README.md")).toBe("two");
  });

  test("isomorphic-git clones", async () => {
    const onAuth = () => ({ username: "any", password: MASTER_KEY });
    await isomorphicGit.clone({ fs, http: isomorphicHttp, dir: target, url: `${http.url}/copy.git`, onAuth, noCheckout: true });
    expect(await isomorphicGit.resolveRef({ fs, dir: target, ref: "HEAD" })).toBe(await http.world.head());
  });

  test("without a key, or with a wrong one, git is asked for it, whether the repository exists or not", async () => {
    for (const name of ["copy", "none"]) {
      const { code, stderr } = await tryGit(["ls-remote", `${http.url}/${name}.git`]);
      expect([code, stderr]).toEqual([128, expect.stringContaining("could not read Username")]);
    }
    const answer = await http.ask("/copy.git/info/refs?service=git-upload-pack", { headers: {} });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain('Basic realm="coregit"');
    const wrong = http.gitUrl().replace(MASTER_KEY, "wrong");
    expect((await tryGit(["ls-remote", wrong])).stderr).toContain("Authentication failed");
  });

  test("with the key, a repository that is not there is not found", async () => {
    expect((await tryGit(["ls-remote", http.gitUrl("none")])).stderr).toMatch(
      /remote: There is no such repository\..*not found/s,
    );
  });

  test("a public repository is read without a key", async () => {
    await http.world.database.query("UPDATE repositories SET visibility = 'public' WHERE slug = 'copy'");
    try {
      expect(await git(["ls-remote", `${http.url}/copy.git`, "HEAD"])).toContain("HEAD");
    } finally {
      await http.world.database.query("UPDATE repositories SET visibility = 'private' WHERE slug = 'copy'");
    }
  });

  test("answers are never cached, and only git's own requests are taken", async () => {
    const refs = await http.ask("/copy.git/info/refs?service=git-upload-pack");
    expect(refs.headers.get("cache-control")).toBe("no-cache");
    expect(refs.headers.get("content-type")).toBe("application/x-git-upload-pack-advertisement");
    expect((await http.ask("/copy.git/info/refs")).status).toBe(403);
    expect((await http.ask("/copy.git/git-upload-pack", { method: "POST", body: {} })).status).toBe(415);
    expect((await http.ask("/copy.git/git-upload-pack")).status).toBe(405);
  });

  test("a request that unpacks into more than the limit is refused", async () => {
    const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024));
    const headers = {
      "x-api-key": MASTER_KEY,
      "content-type": "application/x-git-upload-pack-request",
      "content-encoding": "gzip",
    };
    const response = await fetch(`${http.url}/copy.git/git-upload-pack`, { method: "POST", headers, body: bomb });
    expect(response.status).not.toBe(200);
    await response.body?.cancel();
  });

  test("a client that goes away in the middle leaves no git process behind", async () => {
    const head = await http.world.head();
    const line = (text: string) => (text.length + 4).toString(16).padStart(4, "0") + text;
    const body = `${line("command=fetch")}0001${line(`want ${head}\n`)}${line("done\n")}0000`;
    const headers = {
      "x-api-key": MASTER_KEY,
      "content-type": "application/x-git-upload-pack-request",
      "git-protocol": "version=2",
    };
    const abort = new AbortController();
    const response = await fetch(`${http.url}/copy.git/git-upload-pack`, { method: "POST", headers, body, signal: abort.signal });
    await response.body?.getReader().read();
    expect(await uploadPacks()).not.toEqual([]);
    abort.abort();
    await until("no upload-pack is left", async () => (await uploadPacks()).length === 0);
  });
});

/** Ids of git upload-pack processes below this one. */
async function uploadPacks(): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map(async (pid) => ((await isOurUploadPack(pid)) ? pid : null)));
  return found.filter((pid) => pid !== null);
}

async function isOurUploadPack(pid: string): Promise<boolean> {
  const command = await fs.promises.readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return command.includes("upload-pack") && command.includes(http.world.cacheDir);
}
