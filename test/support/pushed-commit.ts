// A push as a caller of the port makes it: a commit made by native git in a repository of its own, and its pack.
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Oid, parseOid } from "../../src/domain/oid.ts";
import { git, gitBytes } from "./git.ts";
import type { SourceRepository } from "./source-repository.ts";

export type PushedCommit = {
  readonly oid: Oid;
  /** What the remote lacks, in pieces of 64 KiB. */
  pack(): AsyncGenerator<Uint8Array>;
};

/** A commit of one file on top of the remote's branch; of an empty remote, a first one. */
export async function commitToPush(
  remote: SourceRepository,
  content: Uint8Array | string,
  branch = "main",
): Promise<PushedCommit> {
  const folder = await mkdtemp(join(tmpdir(), "coregit-push-"));
  try {
    await git(["init", "--quiet", "--bare", folder]);
    const inside = (args: readonly string[], input?: Uint8Array | string) =>
      git(["-C", folder, ...args], input === undefined ? {} : { input });
    const fetched = await inside(["fetch", "--quiet", remote.path, `refs/heads/${branch}:refs/heads/base`]).catch(() => null);
    const blob = await inside(["hash-object", "-w", "--stdin"], content);
    const tree = await inside(["mktree"], `100644 blob ${blob}\tpushed\n`);
    const parent = fetched === null ? [] : ["-p", "refs/heads/base"];
    const oid = await inside(["commit-tree", "-m", "Pushed", ...parent, tree]);
    const revisions = fetched === null ? `${oid}\n` : `${oid}\n^refs/heads/base\n`;
    const pack = await gitBytes(["-C", folder, "pack-objects", "--quiet", "--revs", "--stdout"], { input: revisions });
    return {
      oid: parseOid(oid),
      async *pack() {
        for (let at = 0; at < pack.length; at += 65_536) yield pack.subarray(at, at + 65_536);
      },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A shell script that git runs at `name` (pre-receive, update, …) in the remote. */
export async function installHook(remote: SourceRepository, name: string, script: string): Promise<void> {
  const file = join(remote.path, "hooks", name);
  await mkdir(join(remote.path, "hooks"), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}
