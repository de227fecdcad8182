// Whether everything that new tips lead to is there, down to what the published refs lead to. index-pack looks only at the
// links of the objects that came: a tip may also be an old object that no ref kept, parts of which are gone.
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import { type GitCommand, gitFailure, runGit } from "./git-process.ts";

/** Walking the 1.3 million commits and 10 million objects of a very large repository takes git some minutes. */
const DEADLINE_MS = 30 * 60_000;
/** What it says is told from its exit. */
const MAX_OUTPUT_BYTES = 4_096;

type Place = {
  /** A repository that has, or whose alternate has, what the published refs lead to. */
  readonly gitDir: string;
  readonly memoryBytes: number;
  readonly signal: AbortSignal;
};

type Tips = {
  readonly next: readonly Oid[];
  /** What refs lead to already. */
  readonly published: ReadonlySet<Oid>;
};

/** @throws CoregitError `OutOfMemory`, `Internal`, `Timeout`. */
export async function areConnected(place: Place, { next, published }: Tips): Promise<boolean> {
  if (next.length === 0) return true;
  const args = ["rev-list", "--objects", "--stdin", "--quiet"];
  const command: GitCommand = { args, ...place, deadlineMs: DEADLINE_MS };
  const input = [...next, ...published.values().map((oid) => `^${oid}`), ""].join("\n");
  const { exit } = await runGit(command, { input, maxOutputBytes: MAX_OUTPUT_BYTES });
  if (exit.wasAborted || exit.signal !== null) throw gitFailure(command, exit);
  // Said in git's untranslated words (LC_ALL=C); there is no exit code of its own for it.
  if (/out of memory/i.test(exit.stderr)) throw new CoregitError("OutOfMemory", "The push needs more memory than git may use.");
  return exit.code === 0;
}
