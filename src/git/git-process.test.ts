import { mkdtemp, readFile, rm } from "node:fs/promises";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeBareDirectory } from "../repositories/bare-directory.ts";
import { startGit } from "./git-process.ts";

const LOWEST = 19;

let gitDir: string;
beforeAll(async () => {
  gitDir = await mkdtemp(join(tmpdir(), "coregit-git-process-"));
  await makeBareDirectory(gitDir);
});
afterAll(() => rm(gitDir, { recursive: true, force: true }));

/** One that has begun to read and answer. */
async function startReader(isBackground: boolean) {
  const git = startGit({ args: ["cat-file", "--batch-check"], gitDir, isBackground });
  git.stdin.write("HEAD\n");
  for await (const _ of git.stdout.iterator({ destroyOnReturn: false })) break;
  const children = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, "utf8");
  return { git, pid: Number(children.trim().split(" ").at(-1)) };
}

/** Programs that share one share the processor by their priorities, others by halves. */
async function sessionOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3];
}

describe.runIf(process.platform === "linux")("a git in the background", () => {
  it("has the lowest priority, in the session of this program", async () => {
    const { git, pid } = await startReader(true);
    await using _git = git;
    expect(getPriority(pid)).toBe(LOWEST);
    expect(await sessionOf(pid)).toBe(await sessionOf(process.pid));
  });

  it("ends when it is let go of", async () => {
    const { git, pid } = await startReader(true);
    await git[Symbol.asyncDispose]();
    expect(await git.exited).toMatchObject({ signal: "SIGTERM" });
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });
});

describe.runIf(process.platform === "linux")("a git that somebody waits for", () => {
  it("has the priority of this program and a session of its own, which ends with it", async () => {
    const { git, pid } = await startReader(false);
    expect(getPriority(pid)).toBe(getPriority());
    expect(await sessionOf(pid)).toBe(String(pid));
    await git[Symbol.asyncDispose]();
    expect(() => process.kill(-pid, 0)).toThrow("ESRCH");
  });
});
