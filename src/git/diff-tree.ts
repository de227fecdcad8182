// Differences between two trees by native git. No program, attribute or configuration of the repository has a say in
// them, and what they may cost is bounded: time, memory of the process, and output.
import { CoregitError } from "../domain/errors.ts";
import { EMPTY_TREE, type Oid } from "../domain/oid.ts";
import { type ChangedFiles, readChangedFiles } from "./changed-files.ts";
import { type GitCommand, type GitProcess, gitFailure, startGit } from "./git-process.ts";

const DEADLINE_MS = 30_000;
const MEMORY_BYTES = 2 * 1024 ** 3;

/**
 * Larger files are compared as binary ones; packs are mapped in parts, so that they fit into the process's memory; newer
 * gits would take attributes from HEAD.
 */
const CONFIGURATION = [
  "core.bigFileThreshold=16m",
  "core.packedGitWindowSize=32m",
  "core.packedGitLimit=512m",
  `attr.tree=${EMPTY_TREE}`,
].flatMap((setting) => ["-c", setting]);

/** Renames are looked for among at most this many files on each side: the work is their product. */
const FIXED = ["diff-tree", "-r", "--find-renames=50%", "-l1000", "--no-ext-diff", "--no-textconv", "--no-color", "--full-index"];

type Difference = {
  /** Absolute path of a bare repository. */
  readonly gitDir: string;
  /** Commits or trees. */
  readonly from: Oid;
  readonly to: Oid;
  readonly signal: AbortSignal;
};

/** The files that differ, at most `maxFiles` of them in detail. @throws CoregitError `Internal`, `Timeout`. */
export async function diffFiles(difference: Difference, maxFiles: number): Promise<ChangedFiles> {
  return await diff(difference, ["-z", "--raw", "--numstat"], async (git, ended) => {
    const changed = await readChangedFiles(git.stdout, maxFiles);
    // What was not asked for is left unread, and git ends before its time.
    const isCutOff = changed.total > maxFiles && changed.files.length === maxFiles;
    if (!isCutOff) await ended();
    return changed;
  });
}

/** The patch from one to the other. @throws CoregitError `AnswerTooLarge` past `maxBytes`, `Internal`, `Timeout`. */
export async function diffPatch(difference: Difference, maxBytes: number): Promise<Buffer> {
  return await diff(difference, ["--patch"], async (git, ended) => {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of git.stdout as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) {
        throw new CoregitError(
          "AnswerTooLarge",
          `The patch is larger than ${maxBytes} bytes; fetch the commits with git instead.`,
        );
      }
      chunks.push(chunk);
    }
    await ended();
    return Buffer.concat(chunks);
  });
}

async function diff<T>(
  { gitDir, from, to, signal }: Difference,
  options: readonly string[],
  read: (git: GitProcess, ended: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const args = [...CONFIGURATION, ...FIXED, ...options, "--end-of-options", from, to];
  const command: GitCommand = { args, gitDir, signal, deadlineMs: DEADLINE_MS, memoryBytes: MEMORY_BYTES };
  await using git = startGit(command);
  git.stdin.end();
  return await read(git, async () => {
    const exit = await git.exited;
    signal.throwIfAborted();
    if (exit.code !== 0) throw gitFailure(command, exit);
  });
}
