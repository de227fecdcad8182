// Which git is there, and whether it will do.
import { CoregitError } from "../domain/errors.ts";
import { gitFailure, runGit } from "./git-process.ts";

/** `cat-file --batch-command` came with 2.36, and the directory ownership fixes that matter here with 2.37. */
const OLDEST = { major: 2, minor: 37 } as const;
const DEADLINE_MS = 10_000;

/** The version, for example `2.39.5`. @throws CoregitError `Internal` when there is no git, or one older than 2.37. */
export async function gitVersion(signal?: AbortSignal): Promise<string> {
  const command = { args: ["version"], gitDir: null, deadlineMs: DEADLINE_MS, ...(signal && { signal }) };
  const { stdout, exit } = await runGit(command, { maxOutputBytes: 1_024 });
  if (exit.code !== 0) throw gitFailure(command, exit);
  return readGitVersion(stdout.toString("latin1"));
}

/** The version in what `git version` prints. @throws CoregitError `Internal` when it is older than 2.37, or none. */
export function readGitVersion(text: string): string {
  const [, version, major, minor] = /^git version ((\d+)\.(\d+)\S*)/.exec(text) ?? [];
  if (version === undefined || !isEnough(Number(major), Number(minor))) {
    throw new CoregitError(
      "Internal",
      `git ${version ?? "of an unknown version"} is too old: ${OLDEST.major}.${OLDEST.minor} or newer is needed.`,
    );
  }
  return version;
}

function isEnough(major: number, minor: number): boolean {
  return major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor);
}
