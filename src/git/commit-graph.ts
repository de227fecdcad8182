// How two commits of one repository lie to each other, by native git. Takes full oids only.
import { type Oid, parseOid } from "../domain/oid.ts";
import { type GitCommand, gitFailure, runGit } from "./git-process.ts";

/** Walking a million commits takes git a few seconds. */
const DEADLINE_MS = 30_000;
/** An oid and a line feed, for as many commits as anybody may ask for. */
const MAX_OUTPUT_BYTES = 1 << 20;

type Graph = {
  /** Absolute path of a bare repository. */
  readonly gitDir: string;
  readonly memoryBytes?: number;
  readonly signal: AbortSignal;
};

/** A best common ancestor, or null when there is none. @throws CoregitError `Internal`, `Timeout`. */
export async function findMergeBase(graph: Graph, base: Oid, head: Oid): Promise<Oid | null> {
  const output = await ask(graph, ["merge-base", "--end-of-options", base, head], 1);
  return output === "" ? null : parseOid(output);
}

/** How many commits each of the two has that the other has not. @throws CoregitError `Internal`, `Timeout`. */
export async function countApart(
  graph: Graph,
  base: Oid,
  head: Oid,
): Promise<{ readonly ahead: number; readonly behind: number }> {
  const output = await ask(graph, ["rev-list", "--left-right", "--count", "--end-of-options", `${base}...${head}`]);
  const [behind, ahead] = output.split("\t").map(Number);
  return { ahead: ahead ?? 0, behind: behind ?? 0 };
}

/** Commits of `head` that `base` has not, newest first, at most `limit`. @throws CoregitError `Internal`, `Timeout`. */
export async function listAhead(
  graph: Graph,
  range: { readonly base: Oid; readonly head: Oid; readonly limit: number },
): Promise<Oid[]> {
  const output = await ask(graph, ["rev-list", `--max-count=${range.limit}`, "--end-of-options", range.head, `^${range.base}`]);
  return output === "" ? [] : output.split("\n").map(parseOid);
}

/** What git answers, without the last line feed; `emptyCode` is how it ends when it has nothing to say. */
async function ask(graph: Graph, args: readonly string[], emptyCode = 0): Promise<string> {
  const command: GitCommand = { ...graph, args, deadlineMs: DEADLINE_MS };
  const { stdout, exit } = await runGit(command, { maxOutputBytes: MAX_OUTPUT_BYTES });
  if (exit.code !== 0 && exit.code !== emptyCode) throw gitFailure(command, exit);
  return stdout.toString("latin1").trimEnd();
}
