// One ref moved, made or deleted by somebody's wish rather than by new objects: what it may point to, what may happen to
// what it pointed to before, and compare-and-swap on the caller's behalf where the caller expects nothing.
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import { branchOf, checkRefName, tagOf } from "../domain/ref-name.ts";
import { brokenRule, type ForwardMoves, keepBranches } from "./branch-rules.ts";
import type { RefUpdate, Repository, RepositoryReader, RepositoryStore } from "./store.ts";

export type RefChange = {
  readonly name: string;
  /** null deletes the ref. */
  readonly next: Oid | null;
  /** What the ref must be now, null: it must not exist. Undefined: whatever it is. */
  readonly expected: Oid | null | undefined;
  /** Also when it gives up commits, or moves a tag. */
  readonly force: boolean;
};

export type ChangeContext = {
  readonly store: RepositoryStore;
  readonly repository: Repository;
  /** For the reflog, as in `Publication`. */
  readonly actor: string;
  readonly reason: string;
  readonly signal: AbortSignal;
};

/** How often a change that expects nothing is tried on top of somebody else's. */
const ATTEMPTS = 20;

/**
 * Changes the ref and returns what it was before. A ref that is already as wanted is left alone.
 * @throws CoregitError `RefMoved` with `details.head_sha`, `RefExists` and `NotFastForward` without force, `DefaultBranch`,
 *   `BranchProtected`, `RefNotFound` when the ref to delete or the object to point to is not there, `InvalidRequest` when it is
 *   of a wrong type.
 */
export async function changeRef(context: ChangeContext, change: RefChange): Promise<{ readonly previous: Oid | null }> {
  const reader = context.store.reader(context.repository);
  checkName(change);
  if (change.next !== null) await checkTarget(reader, change.name, change.next);
  for (let attempt = 1; ; attempt += 1) {
    const previous = await reader.readRef(change.name);
    const outcome = await tryChange(context, change, previous);
    if (outcome === "done") return { previous };
    if (change.expected !== undefined || attempt === ATTEMPTS) throw missed(change, await reader.readRef(change.name));
  }
}

async function tryChange(context: ChangeContext, change: RefChange, previous: Oid | null): Promise<"done" | "moved"> {
  if (change.expected !== undefined && change.expected !== previous) return "moved";
  if (previous === null && change.next === null) throw refNotFound(change.name);
  if (previous === change.next) return "done";
  const ref = { name: change.name, expected: previous, next: change.next };
  return await publish(context, ref, await checkMove(context, ref, change.force));
}

async function publish(
  { store, repository, actor, reason }: ChangeContext,
  ref: RefUpdate,
  forward: ForwardMoves,
): Promise<"done" | "moved"> {
  try {
    const publication = { repositoryId: repository.id, packs: [], refs: [ref], actor, reason };
    await store.publish(publication, (tx) => keepBranches(tx, publication, forward));
    return "done";
  } catch (error) {
    if (error instanceof CoregitError && error.code === "RefMoved") return "moved";
    throw error;
  }
}

/** A branch points to a commit, every other ref to a commit or a tag object. */
async function checkTarget(reader: RepositoryReader, name: string, oid: Oid): Promise<void> {
  const type = await reader.objectType(oid);
  const details = { field: "sha" };
  if (type === null) throw new CoregitError("RefNotFound", `There is no commit ${oid} in this repository.`, { details });
  if (type === "commit" || (type === "tag" && branchOf(name) === null)) return;
  const wanted = branchOf(name) === null ? "a commit or an annotated tag" : "a commit";
  throw new CoregitError("InvalidRequest", `${name} must point to ${wanted}, and ${oid} is a ${type}.`, { details });
}

/** A move that is forced is looked at all the same where the branch is protected. Gives the ref when it moves forward. */
async function checkMove({ store, repository, signal }: ChangeContext, ref: RefUpdate, force: boolean): Promise<ForwardMoves> {
  const { name, expected: from, next: to } = ref;
  const broken = brokenRule(repository, ref, false);
  if (from === null || to === null || (force && broken === null)) return new Set();
  if (tagOf(name) !== null) throw refExists(name, from);
  if (await isAncestor(store.reader(repository), { from, to }, signal)) return new Set([name]);
  if (broken !== null) throw broken;
  throw new CoregitError("NotFastForward", `${to} does not have ${from}, where ${name} is now, among its ancestors.`, {
    details: { ref: name, head_sha: from },
  });
}

async function isAncestor(
  reader: RepositoryReader,
  { from, to }: { readonly from: Oid; readonly to: Oid },
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return (await reader.comparisons.mergeBase(from, to, signal)) === from;
  } catch (error) {
    if (error instanceof CoregitError && error.code === "UnrelatedHistories") return false;
    throw error;
  }
}

/** No row can have such a name, so that deleting it is a miss like any other. */
function checkName({ name, next }: RefChange): void {
  const reason = checkRefName(name);
  if (reason === null) return;
  if (next === null) throw refNotFound(name);
  throw new CoregitError("RefNameRefused", `The ref name ${JSON.stringify(name.slice(0, 200))} ${reason}.`);
}

/** Tells also who asks for a ref of a name that none can have. */
export function refNotFound(name: string): CoregitError {
  return new CoregitError("RefNotFound", `There is no ref ${JSON.stringify(name.slice(0, 200))}.`);
}

function refExists(name: string, head: Oid): CoregitError {
  const message = `${name} is there already, at ${head}; a tag is moved by force only.`;
  return new CoregitError("RefExists", message, { details: { ref: name, head_sha: head } });
}

/** What a ref that is at `head` says to who expected something else. */
function missed({ name, expected }: RefChange, head: Oid | null): CoregitError {
  if (expected === null && head !== null) return refExists(name, head);
  const now = head === null ? "is not there" : `is at ${head}`;
  return new CoregitError("RefMoved", `${name} is not where the request expects it: it ${now}.`, {
    details: { ref: name, head_sha: head },
  });
}
