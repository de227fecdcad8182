// git's own judgement of a whole repository: every object read, checked and followed.
import { type GitCommand, gitFailure, startGit } from "./git-process.ts";

/** Reading the ten million objects of a very large repository takes git about an hour. */
const DEADLINE_MS = 12 * 3_600_000;
/** What is kept of what git says; a broken repository can fill a disk with it. */
const OUTPUT_CHARACTERS = 16_384;

/**
 * What is wrong with the repository, in git's words, a line each, not necessarily all of it; empty: nothing is. Objects that
 * nothing leads to are no fault. @throws CoregitError `Timeout`, `Internal`; the signal's reason when it is aborted.
 */
export async function findFaults(gitDir: string, signal: AbortSignal): Promise<readonly string[]> {
  const args = ["fsck", "--full", "--strict", "--no-dangling", "--no-progress"];
  const command: GitCommand = { args, gitDir, signal, deadlineMs: DEADLINE_MS };
  await using git = startGit(command);
  git.stdin.end();
  let output = "";
  for await (const text of git.stdout.setEncoding("utf8")) {
    if (output.length < OUTPUT_CHARACTERS) output += text;
  }
  const exit = await git.exited;
  signal.throwIfAborted();
  if (exit.code === null) throw gitFailure(command, exit);
  if (exit.code === 0) return [];
  // A broken link takes two lines, the second of which is indented.
  const lines = `${output}\n${exit.stderr}`.replaceAll(/\n +/g, " ").split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("notice: "));
}
