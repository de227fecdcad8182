// What of a push can be judged before its objects: names, what the refs are now, and whether they fit beside each other.
// What happens in the meantime is found by the transaction that publishes. Problems are in git's words where it has some:
// clients know what to tell their users about those.
import type { BranchRules } from "../db/repositories.ts";
import type { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import { checkRefName, foldCase, foldersOf, isHiddenRef } from "../domain/ref-name.ts";
import type { PushCommand } from "../git/receive-pack/push-request.ts";
import { brokenRule } from "./branch-rules.ts";

/** Why refs are not changed, by name. */
export type PushProblems = Map<string, string>;

/** The ref is not where the client takes it to be. */
export const FETCH_FIRST = "fetch first";
const DEFAULT_BRANCH_DELETED = "deletion of the current branch prohibited";

export type RefsNow = BranchRules & { readonly refs: ReadonlyMap<string, Oid> };

/** Why a ref was not changed, as git's users know it. */
export function refProblem({ code, message }: CoregitError): string {
  if (code === "RefMoved") return FETCH_FIRST;
  return code === "DefaultBranch" ? DEFAULT_BRANCH_DELETED : message;
}

/**
 * A branch that is not protected may be moved to any commit: whether that gives up commits is for the client to ask, and the
 * reflog has them. Whether one that is protected moves forward shows when the objects are there.
 */
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

function judge(command: PushCommand, now: RefsNow): string | null {
  const { name, expected, next } = command;
  const current = now.refs.get(name) ?? null;
  const reason = checkRefName(name);
  if (reason !== null) return `funny refname: it ${reason}`;
  if (isHiddenRef(name)) return "deny updating a hidden ref";
  const broken = next === null ? brokenRule(now, command, false) : null;
  if (broken !== null) return refProblem(broken);
  if (current !== expected) return next === null ? "stale info" : FETCH_FIRST;
  return current === null && next === null ? "no such ref" : null;
}

/**
 * git keeps `a` and `a/b` as a file and a folder, so only one of them can be; and on many clients' disks `a` and `A` are one
 * file.
 */
function judgeRoom(commands: readonly PushCommand[], refs: ReadonlyMap<string, Oid>, problems: PushProblems): void {
  const accepted = commands.filter(({ name }) => !problems.has(name));
  const made = accepted.filter(({ expected }) => expected === null);
  if (made.length === 0) return;
  const removed = new Set(accepted.filter(({ next }) => next === null).map(({ name }) => name));
  const names = new Set([...refs.keys()].filter((name) => !removed.has(name)));
  const room = new Room(names);
  for (const { name } of made) {
    const conflicting = room.take(name);
    if (conflicting !== null) problems.set(name, `it cannot exist beside ${conflicting}`);
  }
}

/** Names that are taken, and what they leave no room for. */
class Room {
  readonly #names: Set<string>;
  readonly #folders: Set<string>;
  readonly #folded: Map<string, string>;

  constructor(names: Set<string>) {
    this.#names = names;
    this.#folders = new Set([...names].flatMap(foldersOf));
    this.#folded = new Map([...names].map((name) => [foldCase(name), name]));
  }

  /** Takes `name`, or gives what it cannot be beside. */
  take(name: string): string | null {
    const above = foldersOf(name);
    const conflicting = this.#folders.has(name) ? `${name}/` : above.find((folder) => this.#names.has(folder));
    const twin = this.#folded.get(foldCase(name));
    if (conflicting !== undefined || twin !== undefined) return conflicting ?? twin ?? null;
    this.#names.add(name);
    this.#folded.set(foldCase(name), name);
    for (const folder of above) this.#folders.add(folder);
    return null;
  }
}
