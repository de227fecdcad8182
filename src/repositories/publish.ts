// The one transaction that makes objects and refs visible. In this order:
//   1. the repository's version moves, which also makes publishes of one repository wait for each other;
//   2. pack rows (their bytes are in them or already in the blob store);
//   3. each ref by compare-and-swap, each move with its reflog row;
//   4. what the caller adds (a run's result, a sync point);
//   5. the notification, which leaves with the commit.
// Before the commit nothing is visible; after it everything is durable. One pack with one ref that moves or is made is
// published by one statement with the same effects.
import type { Database, Transaction } from "../db/database.ts";
import { appendReflog, findConflict, moveRefs, type RefConflict } from "../db/move-refs.ts";
import { notify } from "../db/notify.ts";
import { insertPack } from "../db/packs.ts";
import { publishNewRef } from "../db/publish-new-ref.ts";
import { publishChain } from "../db/publish-pack.ts";
import { readRef } from "../db/refs.ts";
import { advanceVersion, lockForPublishing } from "../db/repositories.ts";
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import { checkRefName } from "../domain/ref-name.ts";
import type { PackPublisher } from "./pack-publisher.ts";
import type { Publication } from "./store.ts";

type PublishPlace = { readonly database: Database; readonly packs: PackPublisher };

/** @throws CoregitError `RefNameRefused`, `RefMoved`, `RepositoryNotFound`. */
export async function publish(
  { database, packs }: PublishPlace,
  publication: Publication,
  also: ((tx: Transaction) => Promise<void>) | null,
): Promise<void> {
  for (const { name, next } of publication.refs) if (next !== null) checkName(name);
  // When a statement wrote nothing, the transaction says why.
  if (also === null && (await publishAtOnce({ database, packs }, publication))) return;
  await database.transaction(async (tx) => {
    await writePublication(tx, publication);
    await also?.(tx);
  });
}

/**
 * Publishes what is made of the refs as they are while nobody else can move them. For those who lost race after race: the
 * repository waits for `make`, so it has to be quick.
 * @throws CoregitError as `publish`, and what `make` throws; then nothing was written.
 */
export async function publishInTurn(
  database: Database,
  repositoryId: string,
  make: (readRef: (name: string) => Promise<Oid | null>) => Promise<Publication>,
): Promise<Publication> {
  return await database.transaction(async (tx) => {
    await lockForPublishing(tx, repositoryId);
    const publication = await make((name) => readRef(tx, repositoryId, name));
    for (const { name, next } of publication.refs) if (next !== null) checkName(name);
    await writePublication(tx, publication);
    return publication;
  });
}

/** False: it takes more than one statement, or something is in its way. */
async function publishAtOnce({ database, packs: publisher }: PublishPlace, publication: Publication): Promise<boolean> {
  const { repositoryId, packs, refs, actor, reason, traceparent = null } = publication;
  const [pack, ref] = [packs[0], refs[0]];
  if (pack === undefined || ref === undefined || packs.length + refs.length > 2) return false;
  // Whether a pack in the blob store is still there is asked once the repository is locked.
  if (pack.inline === null) return false;
  const { name, expected, next } = ref;
  if (next === null || expected === next) return false;
  if (expected === null) {
    return await publishNewRef(database, { repositoryId, pack, ref: { name, oid: next }, actor, reason, traceparent });
  }
  const moved = { repositoryId, pack, move: { name, expected, next } };
  // It stands for many, so it waits for no company.
  if (publication.steps !== undefined) return await publishChain(database, { ...moved, steps: publication.steps });
  return await publisher.publish({ ...moved, actor, reason, traceparent });
}

/** What the reflog says of a publication: the steps of its ref, or that each has moved. */
function linesOf({ refs, actor, reason, traceparent = null, steps }: Publication): Parameters<typeof appendReflog>[2] {
  const [ref] = refs;
  if (steps !== undefined && ref !== undefined) {
    return steps.map(({ from, to, ...why }) => ({ move: { name: ref.name, expected: from, next: to }, ...why }));
  }
  const moved = refs.filter(({ expected, next }) => expected !== next);
  return moved.map((move) => ({ move, actor, reason, traceparent }));
}

/** Steps 1 to 3 and the notification, in the caller's transaction. The names of the refs are the caller's to check. */
export async function writePublication(tx: Transaction, publication: Publication): Promise<void> {
  const { repositoryId, packs, refs } = publication;
  if (packs.length === 0 && refs.length === 0) return;
  if (!(await advanceVersion(tx, repositoryId))) throw new CoregitError("RepositoryNotFound", "There is no such repository.");
  for (const pack of packs) await insertPack(tx, repositoryId, pack);
  if (refs.length === 0) return;
  await writeRefs(tx, publication);
  await appendReflog(tx, repositoryId, linesOf(publication));
  await notify(tx, "refMoved", [repositoryId]);
}

async function writeRefs(tx: Transaction, { repositoryId, refs }: Publication): Promise<void> {
  const lost = await moveRefs(tx, repositoryId, refs);
  if (lost !== null) {
    const details = { ref: lost.name, actual: await readRef(tx, repositoryId, lost.name) };
    throw new CoregitError("RefMoved", `${lost.name} was moved by somebody else in the meantime.`, { details });
  }
  const made = refs.filter(({ expected, next }) => expected === null && next !== null).map(({ name }) => name);
  const conflict = await findConflict(tx, repositoryId, made);
  if (conflict !== null) throw noRoom(conflict);
}

function noRoom({ name, other, isTwin }: RefConflict): CoregitError {
  const why = isTwin ? "many disks keep names that differ in case as one" : "git keeps one as a folder of the other";
  const details = { ref: name, conflicting: other };
  return new CoregitError("RefNameRefused", `${name} cannot exist beside ${other}: ${why}.`, { details });
}

function checkName(name: string): void {
  const reason = checkRefName(name);
  if (reason === null) return;
  throw new CoregitError("RefNameRefused", `The ref name ${JSON.stringify(name.slice(0, 200))} ${reason}.`, {
    details: { ref: name },
  });
}
