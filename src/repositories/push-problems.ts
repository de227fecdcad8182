// What of a push can be judged before its objects: names, what the refs are now, and whether they fit beside each other.
// What happens in the meantime is found by the transaction that publishes. Problems are in git's words where it has some:
// clients know what to tell their users about those.
import type { Oid } from "../domain/oid.ts";
import { branchOf, checkRefName, isHiddenRef } from "../domain/ref-name.ts";
import type { PushCommand } from "../git/receive-pack/push-request.ts";

/** Why refs are not changed, by name. */
export type PushProblems = Map<string, string>;

/** The ref is not where the client takes it to be. */
export const FETCH_FIRST = "fetch first";
export const DEFAULT_BRANCH_DELETED = "deletion of the current branch prohibited";

export type RefsNow = { readonly refs: ReadonlyMap<string, Oid>; readonly defaultBranch: string };

/** A branch may be moved to any commit: whether that gives up commits is for the client to ask, and the reflog has them. */
export function judgeCommands(commands: readonly PushCommand[], now: RefsNow): PushProblems {
  const problems: PushProblems = new Map();
  const seen = new Set<string>();
  for (const command of commands) {
    const isRepeated = seen.has(command.name);
    const problem = isRepeated ? "multiple updates for one ref are not allowed" : judge(command, now);
    seen.add(command.name);
    if (problem !== null) problems.set(command.name, problem);
  }
  judgeRoom(commands, now.refs, problems);
  return problems;
}

function judge({ name, expected, next }: PushCommand, { refs, defaultBranch }: RefsNow): string | null {
  const current = refs.get(name) ?? null;
  const reason = checkRefName(name);
  if (reason !== null) return `funny refname: it ${reason}`;
  if (isHiddenRef(name)) return "deny updating a hidden ref";
  if (next === null && branchOf(name) === defaultBranch) return DEFAULT_BRANCH_DELETED;
  if (current !== expected) return next === null ? "stale info" : FETCH_FIRST;
  return current === null && next === null ? "no such ref" : null;
}

/** git keeps `a` and `a/b` as a file and a folder, so only one of them can be. */
function judgeRoom(commands: readonly PushCommand[], refs: ReadonlyMap<string, Oid>, problems: PushProblems): void {
  const accepted = commands.filter(({ name }) => !problems.has(name));
  const made = accepted.filter(({ expected }) => expected === null);
  if (made.length === 0) return;
  const removed = new Set(accepted.filter(({ next }) => next === null).map(({ name }) => name));
  const names = new Set([...refs.keys()].filter((name) => !removed.has(name)));
  const folders = new Set([...names].flatMap(foldersOf));
  for (const { name } of made) {
    const above = foldersOf(name);
    const conflicting = folders.has(name) ? `${name}/` : above.find((folder) => names.has(folder));
    if (conflicting !== undefined) {
      problems.set(name, `it cannot exist beside ${conflicting}`);
      continue;
    }
    names.add(name);
    for (const folder of above) folders.add(folder);
  }
}

function foldersOf(name: string): string[] {
  const components = name.split("/");
  return components.slice(1).map((_, index) => components.slice(0, index + 1).join("/"));
}
