// Ties a sync to one repository at the provider, by its number. A name may come to lead elsewhere: the repository was renamed, and
// somebody else may have taken the name since. Asked before a head that has moved is fetched and before an export is written, not by
// polls that find nothing new: those read the head of whatever has the name, and do nothing with it.
import { writeRemoteIdentity } from "../db/remote-identity.ts";
import { CoregitError, type ErrorCode } from "../domain/errors.ts";
import { declaredForm, identityOf, type RemoteIdentity } from "../domain/remote-identity.ts";
import type { DeclaredTarget, Remote } from "../remotes/remote.ts";
import type { FoundRepository, RepositoryLookup } from "../remotes/repository-lookup.ts";
import type { Run } from "./run.ts";

/** Failures that may come of the repository's having another name now: of nothing, or of another one, under the old name. */
const ELSEWHERE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "RemoteNotFound",
  "RemoteReplaced",
  "RedirectRefused",
  "BranchMissing",
  "EmptyUpstream",
]);

/** The target under the name that its repository had last. Notes what the sync is tied to; another declaration is tied anew. */
export function followIdentity({ claim, progress }: Run, target: DeclaredTarget): DeclaredTarget {
  progress.declaredRemote = declaredForm(target);
  // A run that has found it elsewhere knows better than the claim.
  progress.identity = identityOf(progress.identity ?? claim.remoteIdentity, target);
  return progress.identity === null ? target : { ...target, remote: progress.identity.path };
}

/** The repository was found, under another name than the remote was opened with. Noted; the run is to begin anew under that name. */
class RenamedRemote extends Error {
  override readonly name = "RenamedRemote";
}

/** Who may be asked for the repository that has the remote's name. */
type Here = Pick<RepositoryLookup, "path" | "here">;

/**
 * Resolves when the remote is the repository that the sync is tied to, which it is tied to now when it was not. One request to the
 * provider's API, once for each run; none, and no answer, where the provider or the credential gives none. `cheaper` is asked first:
 * its request is one that is made anyway.
 * @throws CoregitError `RemoteReplaced` when it is another repository, and those of `RepositoryLookup`; and what `hasMoved` takes.
 */
export async function requireIdentity(run: Run, remote: Remote, cheaper: Here | null = null): Promise<void> {
  const { progress } = run;
  if (progress.isIdentified || remote.lookup === null) return;
  const { identity } = progress;
  const found = (cheaper === null ? null : await lookUp(run, cheaper)) ?? (await lookUp(run, remote.lookup));
  if (found === null) return;
  if (identity !== null && identity.id !== found.id) throw replaced(identity, remote);
  progress.isIdentified = true;
  const isRenamed = found.path.toLowerCase() !== remote.lookup.path.toLowerCase();
  if (identity === null || isRenamed) await remember(run, found, isRenamed);
  if (isRenamed) throw new RenamedRemote();
}

/** Null: the API does not tell, and there is nothing to compare with, so that git's answer has to do. */
async function lookUp({ progress, signal }: Run, lookup: Here): Promise<FoundRepository | null> {
  try {
    return await lookup.here(signal);
  } catch (error) {
    if (progress.identity === null && error instanceof CoregitError && !signal.aborted) return null;
    throw error;
  }
}

/** True when the failure came of the repository's having another name now: the run may begin anew under that. */
export async function hasMoved(run: Run, remote: Remote, failure: unknown): Promise<boolean> {
  if (failure instanceof RenamedRemote) return true;
  const { identity } = run.progress;
  const mayBe = failure instanceof CoregitError && ELSEWHERE.has(failure.code);
  if (!mayBe || identity === null || remote.lookup === null || run.signal.aborted) return false;
  const found = await remote.lookup.byId(identity.id, run.signal).catch(() => null);
  if (found === null || found.id !== identity.id || found.path === remote.lookup.path) return false;
  await remember(run, found, true);
  run.progress.isIdentified = true;
  return true;
}

async function remember({ claim, deps, progress }: Run, { id, path }: FoundRepository, isRenamed: boolean): Promise<void> {
  progress.identity = { declared: progress.declaredRemote, id, path };
  await writeRemoteIdentity(deps.database, claim.lease, progress.identity);
  if (!isRenamed) return;
  progress.movedTo = path;
  deps.logger.info({ to: path }, "The remote has another name now, which is followed.");
}

function replaced({ path }: RemoteIdentity, remote: Remote): CoregitError {
  return new CoregitError(
    "RemoteReplaced",
    `${remote.displayUrl} is another repository now than the one that was synced (${path}), which the credential cannot find any more.`,
  );
}
