// A push, from its commands to its report. In this order, so that nothing is visible before all of it is checked:
//   1. commands are judged by name and by what the refs are;
//   2. the pack goes through a quarantine, as any bytes from outside;
//   3. each new tip is there, of a fitting type, and everything that it leads to is there too;
//   4. packs become durable, then refs move in one transaction, and lost races are told ref by ref.
// Refs that fail leave the others alone, unless the client asked for all or nothing.
import { CoregitError, type ErrorCode } from "../domain/errors.ts";
import { branchOf } from "../domain/ref-name.ts";
import type { PushCommand } from "../git/receive-pack/push-request.ts";
import type { PushReport } from "../git/receive-pack/report.ts";
import { keepDefaultBranch } from "./default-branch.ts";
import { DEFAULT_BRANCH_DELETED, FETCH_FIRST, judgeCommands, type PushProblems } from "./push-problems.ts";
import type { CheckedTips, PreparedPack, Publication, Repository, RepositoryStore } from "./store.ts";

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
  const problems = judgeCommands(commands, { refs, defaultBranch: repository.defaultBranch });
  if (!acceptedOf(push, problems).some(({ next }) => next !== null)) {
    await publishPush(store, push, { packs: [], problems });
    return reportOf(push, problems);
  }
  await using quarantine = await store.quarantine(repository);
  try {
    await quarantine.receivePack(push.pack, { shallowTips: [] }, signal);
    judgeTips(push, await quarantine.checkTips(newTips(push, problems), signal), problems);
  } catch (error) {
    if (!(error instanceof CoregitError && PACK_REFUSALS.has(error.code))) throw error;
    return { unpackProblem: error.message, refs: commands.map(({ name }) => ({ name, problem: "unpacker error" })) };
  }
  if (acceptedOf(push, problems).length > 0) {
    const packs = await quarantine.seal({ source: "push", dropCommits: false }, signal);
    await publishPush(store, push, { packs, problems });
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

/** Moves all refs that can be moved, at once; a ref that somebody else moved is a problem and left out. */
async function publishPush(
  store: RepositoryStore,
  push: Push,
  { packs, problems }: { readonly packs: readonly PreparedPack[]; readonly problems: PushProblems },
): Promise<void> {
  for (let round = 1; ; round += 1) {
    const refs = acceptedOf(push, problems);
    if (refs.length === 0) return;
    const lost = await tryPublish(store, { repositoryId: push.repository.id, packs, refs, actor: push.actor, reason: "push" });
    if (lost === null) return;
    problems.set(lost.ref, lost.problem);
    if (round < ROUNDS) continue;
    for (const { name } of acceptedOf(push, problems)) problems.set(name, FETCH_FIRST);
  }
}

type LostRef = { readonly ref: string; readonly problem: string };

/** Null: everything is published. Otherwise nothing is, for the sake of one ref. */
async function tryPublish(store: RepositoryStore, publication: Publication): Promise<LostRef | null> {
  const hasDeletion = publication.refs.some(({ next }) => next === null);
  try {
    await store.publish(publication, hasDeletion ? (tx) => keepDefaultBranch(tx, publication) : undefined);
    return null;
  } catch (error) {
    const lost = error instanceof CoregitError ? lostRef(error) : null;
    if (lost === null) throw error;
    return lost;
  }
}

function lostRef({ code, message, details }: CoregitError): LostRef | null {
  const { ref } = details;
  if (typeof ref !== "string") return null;
  if (code === "RefMoved") return { ref, problem: FETCH_FIRST };
  if (code === "DefaultBranch") return { ref, problem: DEFAULT_BRANCH_DELETED };
  return code === "RefNameRefused" ? { ref, problem: message } : null;
}
