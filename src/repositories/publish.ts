// The one transaction that makes objects and refs visible. In this order:
//   1. the repository's version moves, which also makes publishes of one repository wait for each other;
//   2. pack rows (their bytes are in them or already in the blob store);
//   3. each ref by compare-and-swap, each move with its reflog row;
//   4. what the caller adds (a run's result, a sync point);
//   5. the notification, which leaves with the commit.
// Before the commit nothing is visible; after it everything is durable. One pack that moves one ref is published by one
// statement with the same effects.
import type { Database, Transaction } from "../db/database.ts";
import { notify } from "../db/notify.ts";
import { insertPack } from "../db/packs.ts";
import { type PackPublication, publishPack } from "../db/publish-pack.ts";
import { appendReflog, findConflictingRef, moveRef, readRef } from "../db/refs.ts";
import { advanceVersion } from "../db/repositories.ts";
import { CoregitError } from "../domain/errors.ts";
import { checkRefName } from "../domain/ref-name.ts";
import type { Publication, RefUpdate } from "./store.ts";

/** @throws CoregitError `RefNameRefused`, `RefMoved`, `RepositoryNotFound`. */
export async function publish(
  database: Database,
  publication: Publication,
  also: ((tx: Transaction) => Promise<void>) | null,
): Promise<void> {
  for (const { name, next } of publication.refs) if (next !== null) checkName(name);
  const single = also === null ? asPackPublication(publication) : null;
  // When the statement wrote nothing, the transaction says why.
  if (single !== null && (await publishPack(database, single))) return;
  await database.transaction(async (tx) => {
    await writePublication(tx, publication);
    await also?.(tx);
  });
}

function asPackPublication({ packs, refs, ...rest }: Publication): PackPublication | null {
  const [pack, ref] = [packs[0], refs[0]];
  if (pack === undefined || ref === undefined || packs.length + refs.length > 2) return null;
  const { name, expected, next } = ref;
  return expected === null || next === null || expected === next ? null : { ...rest, pack, move: { name, expected, next } };
}

/** Steps 1 to 3 and the notification, in the caller's transaction. The names of the refs are the caller's to check. */
export async function writePublication(tx: Transaction, publication: Publication): Promise<void> {
  const { repositoryId, packs, refs } = publication;
  if (packs.length === 0 && refs.length === 0) return;
  if (!(await advanceVersion(tx, repositoryId))) throw new CoregitError("RepositoryNotFound", "There is no such repository.");
  for (const pack of packs) await insertPack(tx, repositoryId, pack);
  // Deletions first, so that `a` may make room for `a/b`.
  for (const ref of refs.toSorted((a, b) => Number(a.next !== null) - Number(b.next !== null)))
    await writeRef(tx, ref, publication);
  if (refs.length > 0) await notify(tx, "refMoved", [repositoryId]);
}

async function writeRef(tx: Transaction, ref: RefUpdate, publication: Publication): Promise<void> {
  const { repositoryId } = publication;
  if (ref.expected === null && ref.next !== null) await checkRoom(tx, repositoryId, ref.name);
  if (!(await moveRef(tx, repositoryId, ref))) {
    const details = { ref: ref.name, actual: await readRef(tx, repositoryId, ref.name) };
    throw new CoregitError("RefMoved", `${ref.name} was moved by somebody else in the meantime.`, { details });
  }
  if (ref.expected !== ref.next) await appendReflog(tx, repositoryId, ref, publication);
}

async function checkRoom(tx: Transaction, repositoryId: string, name: string): Promise<void> {
  const conflicting = await findConflictingRef(tx, repositoryId, name);
  if (conflicting === null) return;
  const details = { ref: name, conflicting };
  throw new CoregitError(
    "RefNameRefused",
    `${name} cannot exist beside ${conflicting}: git keeps one as a folder of the other.`,
    {
      details,
    },
  );
}

function checkName(name: string): void {
  const reason = checkRefName(name);
  if (reason === null) return;
  throw new CoregitError("RefNameRefused", `The ref name ${JSON.stringify(name.slice(0, 200))} ${reason}.`, {
    details: { ref: name },
  });
}
