// A large push to the program as it is run: through the process, not into it.
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startApiProgram } from "../support/api-program.ts";
import { git } from "../support/git.ts";

const MEBIBYTES = 160;
/** For buffers and what the collector has not come to; far less than the pack. */
const MAX_ADDED_MEBIBYTES = 100;

/** Mebibytes that the process has, or had at most, in memory. */
async function memory(pid: number, field: "VmRSS" | "VmHWM"): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / 1024;
}

test("a push of 160 MB takes less than 100 MB of memory and can be cloned", async () => {
  await using stack = new AsyncDisposableStack();
  const program = stack.use(await startApiProgram());
  await program.addRepository("large");
  await program.addRepository("small");
  const path = await mkdtemp(join(tmpdir(), "coregit-large-"));
  stack.defer(() => rm(path, { recursive: true, force: true }));
  const work = join(path, "work");
  const url = (name: string) => `${program.url.replace("://", `://any:${program.key}@`)}/${name}.git`;
  await git(["-c", "init.defaultBranch=main", "init", "--quiet", work]);
  const inWork = (...args: string[]) => git(["-C", work, "-c", "core.compression=0", ...args]);
  const addBlob = (size: number) =>
    git(["-C", work, "-c", "core.compression=0", "hash-object", "-w", "--stdin"], { input: randomBytes(size) });
  const commitBlobs = async (oids: readonly string[]) => {
    const input = oids.map((oid, index) => `100644 blob ${oid}\t${index}.bin\n`).join("");
    const tree = await git(["-C", work, "mktree"], { input });
    return await inWork("commit-tree", "-m", "Blobs", tree);
  };
  // What a first push of any size loads and builds is not what is measured.
  await inWork("push", "--quiet", url("small"), `${await commitBlobs([await addBlob(1 << 20)])}:refs/heads/main`);
  const oids: string[] = [];
  for (let index = 0; index < MEBIBYTES / 4; index += 1) oids.push(await addBlob(4 << 20));
  const commit = await commitBlobs(oids);
  const before = await memory(program.pid, "VmRSS");
  await inWork("push", "--quiet", url("large"), `${commit}:refs/heads/main`);
  const added = (await memory(program.pid, "VmHWM")) - before;
  expect(added).toBeLessThan(MAX_ADDED_MEBIBYTES);
  await git(["clone", "--quiet", "--bare", url("large"), join(path, "copy")]);
  expect(await git(["-C", join(path, "copy"), "rev-parse", "main"])).toBe(commit);
}, 240_000);
