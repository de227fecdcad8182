// Compares commits of one repository with native git, a few comparisons at a time: they cost processor time, and whoever
// asks for many must not slow down the writing of commits.
import { availableParallelism } from "node:os";
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import type { ChangedFiles } from "../git/changed-files.ts";
import { countApart, findMergeBase, listAhead } from "../git/commit-graph.ts";
import { diffFiles, diffPatch } from "../git/diff-tree.ts";
import { Turns } from "./turns.ts";
import type { ViewCache } from "./views.ts";

export type { ChangedFile, ChangedFiles } from "../git/changed-files.ts";

/** One processor is left for everything else. */
const CONCURRENT_COMPARISONS = Math.max(availableParallelism() - 1, 1);

export type CommitComparison = {
  readonly mergeBase: Oid;
  /** How many commits the head has that the base has not, and the reverse. */
  readonly aheadBy: number;
  readonly behindBy: number;
  /** Commits that only the head has, newest first. */
  readonly commits: readonly Oid[];
  /** What changed from the merge base to the head. */
  readonly changed: ChangedFiles;
};

/** Every method: aborting `signal` ends the processes behind it. @throws CoregitError `Timeout`, `Internal`. */
export interface Comparisons {
  /** @throws CoregitError `UnrelatedHistories`. */
  compare(
    range: { readonly base: Oid; readonly head: Oid },
    limits: { readonly maxCommits: number; readonly maxFiles: number },
    signal: AbortSignal,
  ): Promise<CommitComparison>;
  /** @throws CoregitError `UnrelatedHistories`. */
  mergeBase(base: Oid, head: Oid, signal: AbortSignal): Promise<Oid>;
  /** The files that differ between two commits or trees, at most `maxFiles` of them in detail. */
  files(range: { readonly from: Oid; readonly to: Oid }, maxFiles: number, signal: AbortSignal): Promise<ChangedFiles>;
  /** The same as a patch that git applies, without the content of binary files. @throws CoregitError `AnswerTooLarge`. */
  patch(range: { readonly from: Oid; readonly to: Oid }, maxBytes: number, signal: AbortSignal): Promise<Uint8Array>;
}

/** Where the processes of one comparison run, and what ends them. */
type Place = { readonly gitDir: string; readonly signal: AbortSignal };

/** Makes the comparisons of each repository; all of them together take turns. */
export function createComparisons(views: Pick<ViewCache, "lease">): (repositoryId: string) => Comparisons {
  const turns = new Turns(CONCURRENT_COMPARISONS);
  return (repositoryId) => {
    const inView = async <T>(given: AbortSignal, work: (place: Place) => Promise<T>): Promise<T> => {
      using _turn = await turns.take(given);
      using view = await views.lease(repositoryId);
      // Of several processes the others end when one fails.
      const over = new AbortController();
      try {
        return await work({ gitDir: view.directory, signal: AbortSignal.any([given, over.signal]) });
      } finally {
        over.abort();
      }
    };
    return {
      compare: ({ base, head }, { maxCommits, maxFiles }, given) =>
        inView(given, async (place) => {
          const mergeBase = related(await findMergeBase(place, base, head));
          const [{ ahead, behind }, commits, changed] = await Promise.all([
            countApart(place, base, head),
            listAhead(place, { base, head, limit: maxCommits }),
            diffFiles({ ...place, from: mergeBase, to: head }, maxFiles),
          ]);
          return { mergeBase, aheadBy: ahead, behindBy: behind, commits, changed };
        }),
      mergeBase: (base, head, given) => inView(given, async (place) => related(await findMergeBase(place, base, head))),
      files: (range, maxFiles, given) => inView(given, (place) => diffFiles({ ...range, ...place }, maxFiles)),
      patch: (range, maxBytes, given) => inView(given, (place) => diffPatch({ ...range, ...place }, maxBytes)),
    };
  };
}

function related(mergeBase: Oid | null): Oid {
  if (mergeBase !== null) return mergeBase;
  throw new CoregitError("UnrelatedHistories", "The two commits have no common ancestor, so there is nothing to compare from.");
}
