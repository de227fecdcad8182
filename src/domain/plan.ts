// What a run would change: a pure function of trees and the declaration. It touches nothing and decides everything; what
// carries a plan out adds no judgement of its own. The result is meant to be one commit on top of the target's head.
//
// Merge and Fail put the source's own changes since the sync point onto the target, three-way; Overwrite makes the target's
// selected paths equal to the source's. Paths that are not selected are never changed, deleted or replaced.
import { allowedDeletions, allowsEmptying, formatDeletionLimit } from "./deletion-limit.ts";
import { CoregitError, type ErrorCode } from "./errors.ts";
import type { NewObject } from "./object-codec.ts";
import { EMPTY_TREE, type Oid } from "./oid.ts";
import { displayPath, toGitPath } from "./path-rules.ts";
import type { Selection } from "./selection.ts";
import type { DeletionLimit, DivergencePolicy } from "./sync-spec.ts";
import type { FileEntry, GitPath, TreeReader } from "./tree.ts";
import { type Change, type Changes, diffTrees, hasLeaf, listLeaves } from "./tree-diff.ts";
import { editTree } from "./tree-edit.ts";
import { folderAt } from "./tree-lookup.ts";

export type PlanInput = {
  /** Root trees of both sides now; null: that side has no commit. */
  readonly source: Oid | null;
  readonly target: Oid | null;
  /** Root trees of both sides when the last run succeeded; null: there was none. */
  readonly syncPoint: { readonly source: Oid; readonly target: Oid } | null;
  readonly policy: DivergencePolicy;
  readonly selection: Selection;
  /** Folders as declared, "" for the root. */
  readonly sourcePath: string;
  readonly targetPath: string;
  readonly maxDeletions: DeletionLimit | null;
};

export type PlannedChanges = {
  readonly kind: "changes";
  /** By path in the target, in byte order; empty: there is nothing to do. */
  readonly changes: Changes;
  readonly added: number;
  readonly modified: number;
  readonly deleted: number;
  /** Root tree of the target after the run. What it consists of is stored on one of the sides or in `newTrees`. */
  readonly tree: Oid;
  readonly newTrees: readonly NewObject[];
  /** Nothing is filtered or moved and the target has nothing of its own: `tree` is the source's tree. */
  readonly isClean: boolean;
};

export type StopCode = Extract<ErrorCode, "Conflict" | "Diverged" | "TooManyDeletions" | "EmptyUpstream">;

export type PlanStop = {
  readonly kind: "stopped";
  readonly code: StopCode;
  /** One sentence for the user. */
  readonly message: string;
  /** Paths in the target that it is about, displayable, at most 1,000. */
  readonly paths: readonly string[];
};

export type PlanResult = PlannedChanges | PlanStop;

/**
 * Plans one run. The same input gives the same result.
 * @throws CoregitError `PathMissing` when the source's folder is not there or either folder is a file; `ObjectMissing`; `TooManyObjects`, `PathRefused` for trees that unfold beyond bounds.
 */
export async function plan(read: TreeReader, input: PlanInput): Promise<PlanResult> {
  const context: Context = { read, input, ...(await openFolders(read, input)) };
  // From what the source holds to what the target holds: empty when both are equal already, whatever the policy.
  const gap = await diffTrees(read, context.source, context.target, input.selection);
  if (gap.size === 0) return settle(context, new Map());
  const divergence = input.policy === "Fail" ? await divergedPaths(context) : [];
  if (divergence.length > 0) return diverged(input, divergence);
  // Where the target is what the source was, the source's changes are what is between the two now.
  const isExact = input.policy === "Overwrite" || context.base === context.target;
  const { changes, conflicts } = isExact ? overwrite(gap) : merge(await sourceChanges(context), gap);
  const deleted = [...changes].filter(([, { after }]) => after === null).map(([path]) => path);
  return (
    (await guardEmptyUpstream(context, deleted)) ??
    guardConflicts(input, conflicts) ??
    (await guardDeletions(context, deleted)) ??
    settle(context, changes)
  );
}

/** The synced folders as trees; one that is not there is the empty tree. */
type Folders = { readonly source: Oid; readonly target: Oid; readonly base: Oid; readonly targetAtSyncPoint: Oid };

type Context = Folders & { readonly read: TreeReader; readonly input: PlanInput };

async function openFolders(read: TreeReader, input: PlanInput): Promise<Folders> {
  const open = async (root: Oid | null | undefined, path: string) => (root ? await folderAt(read, root, toGitPath(path)) : null);
  const base = await open(input.syncPoint?.source, input.sourcePath);
  const source = await open(input.source, input.sourcePath);
  // git has no empty folders: one that was there may be gone because it became empty, if the declaration allows that at all.
  if (source === null && input.source !== null && (base === null || !allowsEmptying(input.maxDeletions))) {
    throw new CoregitError("PathMissing", `The source has no folder ${displayPath(toGitPath(input.sourcePath))}.`);
  }
  return {
    source: source ?? EMPTY_TREE,
    base: base ?? EMPTY_TREE,
    target: (await open(input.target, input.targetPath)) ?? EMPTY_TREE,
    targetAtSyncPoint: (await open(input.syncPoint?.target, input.targetPath)) ?? EMPTY_TREE,
  };
}

function sourceChanges({ read, base, source, input }: Context): Promise<Changes> {
  return diffTrees(read, base, source, input.selection);
}

/** What the target has of its own: changes since the sync point or, without one, whatever is there. */
async function divergedPaths({ read, targetAtSyncPoint, target, input }: Context): Promise<readonly GitPath[]> {
  return [...(await diffTrees(read, targetAtSyncPoint, target, input.selection)).keys()];
}

function diverged(input: PlanInput, paths: readonly GitPath[]): PlanStop {
  const what =
    input.syncPoint === null ? "the target has files that no sync put there" : "the target has changed since the last sync";
  return stop("Diverged", what, inTarget(input, paths));
}

type Decision = { readonly changes: Changes; readonly conflicts: readonly GitPath[] };

function overwrite(gap: Changes): Decision {
  const changes = new Map<GitPath, Change>();
  for (const [path, { before, after }] of gap) changes.set(path, { before: after, after: before });
  return { changes, conflicts: [] };
}

/** Three-way: what the source changed goes where the target still has what the source had. */
function merge(fromSource: Changes, gap: Changes): Decision {
  const changes = new Map<GitPath, Change>();
  const conflicts: GitPath[] = [];
  for (const [path, { before, after }] of fromSource) {
    const apart = gap.get(path);
    if (apart === undefined) continue;
    if (isSame(apart.after, before)) changes.set(path, { before, after });
    else conflicts.push(path);
  }
  return { changes, conflicts };
}

function isSame(a: FileEntry | null, b: FileEntry | null): boolean {
  return a?.oid === b?.oid && a?.mode === b?.mode;
}

async function guardEmptyUpstream({ read, source, input }: Context, deleted: readonly GitPath[]): Promise<PlanStop | null> {
  if (deleted.length === 0 || allowsEmptying(input.maxDeletions)) return null;
  if (await hasLeaf(read, source, input.selection)) return null;
  return stop("EmptyUpstream", "the source has no selected files left, so the run would delete", inTarget(input, deleted));
}

function guardConflicts(input: PlanInput, conflicts: readonly GitPath[]): PlanStop | null {
  if (conflicts.length === 0) return null;
  const what = input.syncPoint === null ? "both sides have different content at" : "both sides changed in different ways";
  return stop("Conflict", what, inTarget(input, conflicts));
}

async function guardDeletions({ read, target, input }: Context, deleted: readonly GitPath[]): Promise<PlanStop | null> {
  const { maxDeletions, selection } = input;
  if (maxDeletions === null || deleted.length === 0 || allowsEmptying(maxDeletions)) return null;
  const total = "percent" in maxDeletions ? (await listLeaves(read, target, selection)).size : 0;
  const allowed = allowedDeletions(maxDeletions, total);
  if (deleted.length <= allowed) return null;
  const limit = `${allowed} (maxDeletions ${formatDeletionLimit(maxDeletions)})`;
  return stop("TooManyDeletions", `the run would delete ${deleted.length} files where ${limit} may go`, inTarget(input, deleted));
}

/** The target's tree after the changes, and what they are. The last reason to stop is found here: a file where a folder must be. */
async function settle({ read, input, source }: Context, relative: Changes): Promise<PlanResult> {
  const root = input.target ?? EMPTY_TREE;
  const changes = new Map([...relative].map(([path, change]) => [joinPath(input.targetPath, path), change]));
  const isClean = isWhole(input) && (changes.size === 0 ? root === source : hasNothingOfItsOwn(input));
  const isReady = isClean || changes.size === 0;
  const edit = isReady ? { root: isClean ? source : root, newTrees: [], collisions: [] } : await editTree(read, root, changes);
  if (edit.collisions.length > 0) return stop("Conflict", "a file and a folder would have the same path at", edit.collisions);
  return { kind: "changes", changes, ...count(changes), tree: edit.root, newTrees: edit.newTrees, isClean };
}

function isWhole({ selection, sourcePath, targetPath }: PlanInput): boolean {
  return selection.isAll && sourcePath === "" && targetPath === "";
}

function hasNothingOfItsOwn({ policy, target, syncPoint }: PlanInput): boolean {
  return policy === "Overwrite" || (target ?? EMPTY_TREE) === (syncPoint?.source ?? EMPTY_TREE);
}

function count(changes: Changes): Pick<PlannedChanges, "added" | "modified" | "deleted"> {
  const counts = { added: 0, modified: 0, deleted: 0 };
  for (const { before, after } of changes.values()) {
    if (after === null) counts.deleted++;
    else if (before === null) counts.added++;
    else counts.modified++;
  }
  return counts;
}

function inTarget({ targetPath }: PlanInput, paths: readonly GitPath[]): readonly GitPath[] {
  return paths.map((path) => joinPath(targetPath, path));
}

function joinPath(folder: string, path: GitPath): GitPath {
  return folder === "" ? path : `${toGitPath(folder)}/${path}`;
}

const MAX_PATHS = 1000;
const MAX_NAMED_PATHS = 20;
const MAX_NAMED_LENGTH = 200;

function stop(code: StopCode, what: string, paths: readonly GitPath[]): PlanStop {
  const shown = paths.slice(0, MAX_PATHS).map(displayPath);
  const named = shown
    .slice(0, MAX_NAMED_PATHS)
    .map((path) => (path.length > MAX_NAMED_LENGTH ? `${path.slice(0, MAX_NAMED_LENGTH)}…` : path));
  const more = paths.length > named.length ? ` and ${paths.length - named.length} more` : "";
  const sentence = `${what}: ${named.join(", ")}${more}.`;
  return { kind: "stopped", code, message: sentence.charAt(0).toUpperCase() + sentence.slice(1), paths: shown };
}
