// Folders of this machine as remotes: only where the operator allows it, however the path is spelled or linked.
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Oid } from "../../src/domain/oid.ts";
import { git } from "../support/git.ts";
import { recordUploadPacks } from "../support/local-upload-pack.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import { deadline, failureOf, fetchWhole, openTestRemotes } from "../support/test-remotes.ts";

let source: SourceRepository;
let oid: Oid;
let folder: string;

beforeEach(async () => {
  source = await createSourceRepository();
  oid = await source.commit({ "a.txt": "a" });
  folder = await mkdtemp(join(tmpdir(), "coregit-folder-"));
});

afterEach(async () => {
  await source[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const urlOf = (path: string): string => pathToFileURL(path).href;

async function headOf(path: string, allowed: readonly string[]) {
  const packs = recordUploadPacks();
  await using remotes = openTestRemotes({ fileRemotes: allowed, runLocalUploadPack: packs.run });
  await using remote = remotes.open(urlOf(path));
  const head = await remote.readHead(null, deadline());
  expect(packs.running.size).toBe(0);
  return { head, commands: packs.commands };
}

describe("a folder is read", () => {
  test("that is bare, or a checkout, or a linked work tree of one", async () => {
    const checkout = join(folder, "checkout");
    const linked = join(folder, "linked");
    await git(["clone", "--quiet", source.path, checkout]);
    await git(["-C", checkout, "worktree", "add", "--quiet", "-b", "side", linked]);
    const { head, commands } = await headOf(checkout, [folder]);
    expect(head).toEqual({ branch: "main", oid, isEmpty: false });
    expect(commands[0]).toEqual({ directory: join(checkout, ".git"), step: "announce", protocol: "version=2" });
    expect((await headOf(linked, [folder])).head).toEqual({ branch: "side", oid, isEmpty: false });
    expect((await headOf(source.path, [dirname(source.path)])).head).toMatchObject({ oid });
  });

  test("with one process for a head once it is known", async () => {
    const packs = recordUploadPacks();
    await using remotes = openTestRemotes({ fileRemotes: [source.path], runLocalUploadPack: packs.run });
    for (const calls of [2, 1]) {
      await using remote = remotes.open(source.url);
      await remote.readHead("main", deadline());
      expect(remote.calls).toBe(calls);
    }
  });

  test("and its process is gone when the fetch is stopped", async () => {
    const packs = recordUploadPacks();
    await using remotes = openTestRemotes({ fileRemotes: [source.path], runLocalUploadPack: packs.run });
    await using remote = remotes.open(source.url);
    await remote.readHead("main", deadline());
    for await (const _chunk of remote.fetchPack({ oid, have: null }, deadline())) break;
    expect(packs.running.size).toBe(0);
    const stop = new AbortController();
    stop.abort();
    expect(await failureOf(fetchWhole(remote, oid, stop.signal))).toMatchObject({ code: "Interrupted" });
    expect(packs.running.size).toBe(0);
  });
});

describe("a folder is refused", () => {
  test("where folders are not allowed at all", async () => {
    await using off = openTestRemotes({ fileRemotes: [], runLocalUploadPack: recordUploadPacks().run });
    expect(() => off.open(source.url)).toThrow(expect.objectContaining({ code: "InvalidSpec" }));
    await using without = openTestRemotes({ fileRemotes: [source.path], runLocalUploadPack: null });
    expect(() => without.open(source.url)).toThrow(expect.objectContaining({ code: "InvalidSpec" }));
  });

  test("outside of the allowed ones, also when its name begins like one", async () => {
    await using remotes = openTestRemotes({ fileRemotes: [folder], runLocalUploadPack: recordUploadPacks().run });
    for (const url of [source.url, urlOf(`${folder}-other`), `${urlOf(folder)}/%2e%2e/x`, "file:///"]) {
      expect(() => remotes.open(url)).toThrow(expect.objectContaining({ code: "InvalidSpec" }));
    }
  });

  test("when a link leads out, as the folder, as its .git, or later", async () => {
    const outside = source.path;
    await symlink(outside, join(folder, "link"));
    await mkdir(join(folder, "checkout"));
    await symlink(outside, join(folder, "checkout", ".git"));
    await mkdir(join(folder, "gitfile"));
    await writeFile(join(folder, "gitfile", ".git"), `gitdir: ${outside}\n`);
    for (const name of ["link", "checkout", "gitfile"]) {
      expect(await failureOf(headOf(join(folder, name), [folder]))).toMatchObject({
        code: "InvalidSpec",
        message: expect.stringContaining("COREGIT_FILE_REMOTES"),
      });
    }
    const packs = recordUploadPacks();
    await git(["clone", "--quiet", "--bare", outside, join(folder, "real")]);
    await using remotes = openTestRemotes({ fileRemotes: [folder], runLocalUploadPack: packs.run });
    await using remote = remotes.open(urlOf(join(folder, "real")));
    await remote.readHead("main", deadline());
    await rename(join(folder, "real"), join(folder, "moved"));
    await symlink(outside, join(folder, "real"));
    expect(await failureOf(remote.readHead("main", deadline()))).toMatchObject({ code: "InvalidSpec" });
    expect(packs.commands.every(({ directory }) => directory.startsWith(folder))).toBe(true);
  });

  test("when it is missing or no repository", async () => {
    expect(await failureOf(headOf(join(folder, "none"), [folder]))).toMatchObject({ code: "RemoteNotFound" });
    expect(await failureOf(headOf(folder, [folder]))).toMatchObject({ code: "RemoteNotFound" });
  });

  test("when native git cannot read it", async () => {
    await mkdir(join(folder, "broken", "objects"), { recursive: true });
    await writeFile(join(folder, "broken", "HEAD"), "nonsense");
    expect(await failureOf(headOf(join(folder, "broken"), [folder]))).toMatchObject({ code: "RemoteProtocol" });
  });
});
