// A push, from its commands to its report. In this order, so that nothing is visible before all of it is checked:
//   1. commands are judged by name and by what the refs are;
//   2. the pack goes through a quarantine, as any bytes from outside;
//   3. each new tip is there, of a fitting type, everything that it leads to is there too, and protected branches move forward;
//   4. packs become durable, then refs move in one transaction, and lost races are told ref by ref.
// Refs that fail leave the others alone, unless the client asked for all or nothing.
import { CoregitError, type ErrorCode } from "../domain/errors.ts";
import { branchOf } from "../domain/ref-name.ts";
import type { PushCommand } from "../git/receive-pack/push-request.ts";
import type { PushReport } from "../git/receive-pack/report.ts";
import { brokenRule, type ForwardMoves, keepBranches, needsRules } from "./branch-rules.ts";
import { FETCH_FIRST, judgeCommands, type PushProblems, refProblem } from "./push-problems.ts";
import type { CheckedTips, PreparedPack, Publication, Quarantine, Repository, RepositoryStore } from "./store.ts";

export type Push = {
  readonly repository: Repository;
  readonly commands: readonly PushCommand[];
  readonly isAtomic: boolean;
  /** Read only when a command needs objects, and then perhaps not to its end. */
  readonly pack: AsyncIterable<Uint8Array>;
  /** For the reflog, as in `Publication`. */
  readonly actor: string;
};

/** What a pack can be refused for; anything else that fails is no judgement of it. */
const PACK_REFUSALS: ReadonlySet<ErrorCode> = new Set([
  "PackTooLarge",
  "TooManyObjects",
  "OutOfMemory",
  "PackInvalid",
  "ObjectInvalid",
  "PathRefused",
]);

const ATOMIC_FAILURE = "atomic push failure";
const MISSING_OBJECTS = "missing necessary objects";
/** How often a push whose refs others move is tried with what is left of it. */
const ROUNDS = 20;

/** @throws CoregitError when the push could not be judged; then nothing of it is visible. */
export async function receivePush(store: RepositoryStore, push: Push, signal: AbortSignal): Promise<PushReport> {
  const { repository, commands } = push;
  const refs = await store.reader(repository).readRefs();
  const problems = judgeCommands(commands, { ...repository, refs });
  if (!acceptedOf(push, problems).some(({ next }) => next !== null)) {
    await publishPush(store, push, { packs: [], problems, forward: new Set() });
    return reportOf(push, problems);
  }
  await using quarantine = await store.quarantine(repository);
  let forward: ForwardMoves;
  try {
    const tips = { next: newTips(push, problems), published: new Set(refs.values()) };
    const received = await quarantine.receivePack(push.pack, { shallowTips: [], tips, sealEarly: true }, signal);
    judgeTips(push, received.tips, problems);
    forward = await judgeProtected(push, problems, { quarantine, signal });
  } catch (error) {
    if (!(error instanceof CoregitError && PACK_REFUSALS.has(error.code))) throw error;
    return { unpackProblem: error.message, refs: commands.map(({ name }) => ({ name, problem: "unpacker error" })) };
  }
  if (acceptedOf(push, problems).length > 0) {
    const packs = await quarantine.seal({ source: "push", dropCommits: false }, signal);
    await publishPush(store, push, { packs, problems, forward });
  }
  return reportOf(push, problems);
}

/** The commands that are still to be carried out. */
function acceptedOf({ commands, isAtomic }: Push, problems: PushProblems): readonly PushCommand[] {
  if (isAtomic && problems.size > 0) return [];
  return commands.filter(({ name }) => !problems.has(name));
}

function reportOf(push: Push, problems: PushProblems): PushReport {
  const others = push.isAtomic && problems.size > 0 ? ATOMIC_FAILURE : null;
  const refs = push.commands.map(({ name }) => ({ name, problem: problems.get(name) ?? others }));
  return { unpackProblem: null, refs };
}

function newTips(push: Push, problems: PushProblems) {
  return [...new Set(acceptedOf(push, problems).flatMap(({ next }) => next ?? []))];
}

function judgeTips(push: Push, { types, areConnected }: CheckedTips, problems: PushProblems): void {
  for (const { name, next } of acceptedOf(push, problems)) {
    if (next === null) continue;
    const type = types.get(next);
    const isFit = type === "commit" || (type === "tag" && branchOf(name) === null);
    if (type === undefined || !areConnected) problems.set(name, MISSING_OBJECTS);
    else if (!isFit) problems.set(name, `it must not point to a ${type}`);
  }
}

/** Looks at the protected branches alone, and gives those that move forward. */
async function judgeProtected(
  push: Push,
  problems: PushProblems,
  { quarantine, signal }: { readonly quarantine: Quarantine; readonly signal: AbortSignal },
): Promise<ForwardMoves> {
  const forward = new Set<string>();
  for (const command of acceptedOf(push, problems)) {
    const { name, expected, next } = command;
    const broken = brokenRule(push.repository, command, false);
    if (broken === null || expected === null || next === null) continue;
    if (await quarantine.isAncestor(expected, next, signal)) forward.add(name);
    else problems.set(name, refProblem(broken));
  }
  return forward;
}

type CheckedPush = { readonly packs: readonly PreparedPack[]; readonly problems: PushProblems; readonly forward: ForwardMoves };

/** Moves all refs that can be moved, at once; a ref that somebody else moved is a problem and left out. */
async function publishPush(store: RepositoryStore, push: Push, { packs, problems, forward }: CheckedPush): Promise<void> {
  for (let round = 1; ; round += 1) {
    const refs = acceptedOf(push, problems);
    if (refs.length === 0) return;
    const publication = { repositoryId: push.repository.id, packs, refs, actor: push.actor, reason: "push" };
    const lost = await tryPublish(store, publication, forward);
    if (lost === null) return;
    problems.set(lost.ref, lost.problem);
    if (round < ROUNDS) continue;
    for (const { name } of acceptedOf(push, problems)) problems.set(name, FETCH_FIRST);
  }
}

type LostRef = { readonly ref: string; readonly problem: string };

/** Null: everything is published. Otherwise nothing is, for the sake of one ref. */
async function tryPublish(store: RepositoryStore, publication: Publication, forward: ForwardMoves): Promise<LostRef | null> {
  try {
    const isJudged = needsRules(publication, forward);
    await store.publish(publication, isJudged ? (tx) => keepBranches(tx, publication, forward) : undefined);
    return null;
  } catch (error) {
    const lost = error instanceof CoregitError ? lostRef(error) : null;
    if (lost === null) throw error;
    return lost;
  }
}

const REF_REFUSALS: ReadonlySet<ErrorCode> = new Set(["RefMoved", "DefaultBranch", "BranchProtected", "RefNameRefused"]);

function lostRef(error: CoregitError): LostRef | null {
  const { ref } = error.details;
  return typeof ref === "string" && REF_REFUSALS.has(error.code) ? { ref, problem: refProblem(error) } : null;
}
