// A declared sync becomes a row. Responsible for what a change means: another generation, due at once, and a new baseline
// when the two sides or what is selected of them are no longer the same. Reads first and writes nothing when nothing changed.
import { isDeepStrictEqual } from "node:util";
import type { Database, Queryable, Transaction } from "../db/database.ts";
import { type MadeRepository, makeRepositories, makeRepository } from "../db/declared-repositories.ts";
import { notify } from "../db/notify.ts";
import { newRowId } from "../db/row-id.ts";
import { closeRunningRuns } from "../db/runs.ts";
import { clearSyncPoints } from "../db/sync-points.ts";
import * as rows from "../db/syncs.ts";
import { rememberWake } from "../db/wake-traces.ts";
import type { SyncDeclaration } from "../domain/declaration.ts";
import { CoregitError } from "../domain/errors.ts";
import { displayPath, toGitPath } from "../domain/path-rules.ts";
import { checkSlug } from "../domain/slug.ts";
import type { Owner, SyncSpec } from "../domain/sync-spec.ts";
import { checkWrittenPath } from "../domain/written-path.ts";
import { declaredConnection, requireApi } from "./declared-connection.ts";

export type NewSync = { readonly declaration: SyncDeclaration; readonly cause: string | null };

/** How rows are found and made; many at once go together. */
export type SyncRows = {
  readonly database: Database;
  readonly find: (name: rows.SyncName) => Promise<rows.FoundSync | null>;
  /** Makes a row of a sync that has none, as `writeSync` does, and returns its id. */
  readonly declareNew: (sync: NewSync) => Promise<string>;
};

/**
 * Makes the row equal to the declaration and returns its id. `cause`: the traceparent of who declares.
 * @throws CoregitError `Managed`, `InvalidSpec`.
 */
export async function declareSync(
  { database, find, declareNew }: SyncRows,
  declaration: SyncDeclaration,
  cause: string | null = null,
): Promise<{ readonly id: string }> {
  const reason = checkSlug(declaration.repository) ?? checkFolders(declaration.spec);
  if (reason !== null) throw new CoregitError("InvalidSpec", reason);
  const current = await find(nameOf(declaration));
  if (current === null) return { id: await declareNew({ declaration, cause }) };
  if (await isDeclared(database, current, declaration)) return { id: current.id };
  return { id: await database.transaction((tx) => writeSync(tx, declaration, cause)) };
}

function nameOf({ owner, namespace, name }: SyncDeclaration): rows.SyncName {
  return { ownerKind: owner.kind, namespace, name };
}

/** A folder becomes part of the tree that a run writes: its name has to be one that every git takes. */
function checkFolders({ path, remotePath }: SyncSpec): string | null {
  for (const [field, folder] of Object.entries({ path, remotePath })) {
    const problem = folder === "" ? null : checkWrittenPath(folder);
    if (problem !== null) return `${field} ${displayPath(toGitPath(folder))} ${problem}.`;
  }
  return null;
}

/** Removes a sync and ends its run: what the run has not published it will not publish. Idempotent. */
export async function withdrawSync(database: Database, owner: Owner, namespace: string, name: string): Promise<void> {
  await database.transaction((tx) => removeSync(tx, owner, namespace, name));
}

/** The same in a transaction. */
export async function removeSync(tx: Transaction, owner: Owner, namespace: string, name: string): Promise<void> {
  const id = await rows.deleteSync(tx, owner, namespace, name);
  if (id === null) return;
  await closeRunningRuns(tx, [id], { code: "Interrupted", message: "The sync was removed during the run." });
  await notify(tx, ["syncChanged", "runEnded", "webhookDue"], [id]);
}

/** True when the row says all that the declaration says. */
async function isDeclared(db: Queryable, row: rows.FoundSync, declaration: SyncDeclaration): Promise<boolean> {
  if (!isSameOwner(row.owner, declaration.owner) || isAsking(row, declaration)) return false;
  const { namespace, repository: slug, connection: connectionName, spec } = declaration;
  if (!isDeepStrictEqual(row.repository, { namespace, slug })) return false;
  return isSameDeclaration(row, { connectionName, spec, connectionId: await connectionId(db, declaration) });
}

/** `declareSync` in a transaction. @throws CoregitError `Managed`, `InvalidSpec`. */
export async function writeSync(tx: Transaction, declaration: SyncDeclaration, cause: string | null = null): Promise<string> {
  const id = await replaceOrInsert(tx, declaration);
  await rememberWake(tx, [id], cause);
  return id;
}

/**
 * The same of syncs that nobody had declared when they were looked for; ids in their order. Null, and nothing is to be committed:
 * somebody has, meanwhile.
 */
export async function insertNewSyncs(tx: Transaction, syncs: readonly NewSync[]): Promise<readonly string[] | null> {
  const declarations = syncs.map(({ declaration }) => declaration);
  for (const declaration of declarations) await requireApi(tx, declaration);
  const places = declarations.map(({ namespace, repository: slug }) => ({ namespace, slug }));
  const repositories = await makeRepositories(tx, places);
  const made: rows.DeclaredSync[] = [];
  for (const [index, declaration] of declarations.entries()) {
    // There is one for each.
    const repository = repositories[index] as MadeRepository;
    made.push(await toNewRow(tx, declaration, repository));
  }
  if ((await rows.insertSyncs(tx, made)) < made.length) return null;
  const ids = made.map(({ id }) => id);
  for (const [index, { cause }] of syncs.entries()) await rememberWake(tx, ids.slice(index, index + 1), cause);
  await announce(tx, made);
  return ids;
}

async function replaceOrInsert(tx: Transaction, declaration: SyncDeclaration): Promise<string> {
  await requireApi(tx, declaration);
  const repository = await makeRepository(tx, declaration.namespace, declaration.repository);
  const { sync, isNew } = await lockOrInsert(tx, declaration, repository);
  if (isNew) return sync.id;
  if (!mayTakeOver(sync.owner, declaration.owner)) throw managed(sync.owner, declaration);
  if (isAsking(sync, declaration)) await rows.requestRun(tx, sync.id, declaration.requestedAt ?? "");
  const isSameRepository = sync.repositoryId === repository.id;
  const next = toRow(declaration, {
    id: sync.id,
    repositoryId: repository.id,
    madeRepository: repository.isNew || (sync.madeRepository && isSameRepository),
    connectionId: await connectionId(tx, declaration),
  });
  const isUnchanged = isSameRepository && isSameOwner(sync.owner, next.owner) && isSameDeclaration(sync, next);
  if (!isUnchanged) await replace(tx, sync, { ...next, requestedAt: next.requestedAt ?? sync.requestedAt });
  await announce(tx, [next]);
  return sync.id;
}

async function replace(tx: Transaction, sync: rows.DeclaredSync, next: rows.DeclaredSync): Promise<void> {
  if (!isSameBaseline(sync, next)) await clearSyncPoints(tx, [sync.id]);
  await rows.updateSync(tx, next);
  // Whoever waits for a run of a sync that was suspended learns it.
  if (next.spec.suspend) await notify(tx, "runEnded", [sync.id]);
}

async function lockOrInsert(
  tx: Transaction,
  declaration: SyncDeclaration,
  repository: MadeRepository,
): Promise<{ readonly sync: rows.DeclaredSync; readonly isNew: boolean }> {
  const locked = await rows.lockDeclaredSync(tx, nameOf(declaration));
  if (locked !== null) return { sync: locked, isNew: false };
  const sync = await toNewRow(tx, declaration, repository);
  if ((await rows.insertSyncs(tx, [sync])) === 0) return lockOrInsert(tx, declaration, repository);
  await announce(tx, [sync]);
  return { sync, isNew: true };
}

async function toNewRow(tx: Transaction, declaration: SyncDeclaration, repository: MadeRepository): Promise<rows.DeclaredSync> {
  return toRow(declaration, {
    // What the API makes is named by its id.
    id: declaration.owner.kind === "api" ? declaration.name : newRowId("sync"),
    repositoryId: repository.id,
    madeRepository: repository.isNew,
    connectionId: await connectionId(tx, declaration),
  });
}

function toRow(
  declaration: SyncDeclaration,
  found: Pick<rows.DeclaredSync, "id" | "repositoryId" | "madeRepository" | "connectionId">,
): rows.DeclaredSync {
  return {
    ...found,
    owner: declaration.owner,
    namespace: declaration.namespace,
    name: declaration.name,
    connectionName: declaration.connection,
    spec: declaration.spec,
    requestedAt: declaration.requestedAt ?? null,
  };
}

async function connectionId(db: Queryable, declaration: SyncDeclaration): Promise<string | null> {
  return (await declaredConnection(db, declaration))?.id ?? null;
}

async function announce(tx: Transaction, syncs: readonly rows.DeclaredSync[]): Promise<void> {
  const ids = syncs.map(({ id }) => id);
  const due = syncs.filter(({ spec }) => !spec.suspend).map(({ id }) => id);
  await notify(tx, ["syncChanged", "webhookDue"], ids);
  await notify(tx, "syncDue", due);
}

type Declared = Pick<rows.DeclaredSync, "connectionName" | "connectionId" | "spec">;

function isSameDeclaration(row: Declared, next: Declared): boolean {
  return (
    row.connectionName === next.connectionName &&
    row.connectionId === next.connectionId &&
    isDeepStrictEqual(row.spec, JSON.parse(JSON.stringify(next.spec)))
  );
}

function isAsking(row: rows.DeclaredSync, declaration: SyncDeclaration): boolean {
  const asked = declaration.requestedAt ?? null;
  return asked !== null && asked !== row.requestedAt;
}

/** What the sync point is about. Anything else may change without a new baseline. */
function isSameBaseline(row: rows.DeclaredSync, next: rows.DeclaredSync): boolean {
  return row.repositoryId === next.repositoryId && isDeepStrictEqual(baseline(row.spec), baseline(next.spec));
}

function baseline(spec: SyncSpec): Partial<SyncSpec> {
  const { remote, direction, branch, remoteBranch, include, exclude, path, remotePath } = spec;
  return { remote, direction, branch, remoteBranch, include, exclude, path, remotePath };
}

function isSameOwner(left: Owner, right: Owner): boolean {
  return left.kind === right.kind && left.ref === right.ref;
}

/**
 * The API server gives a name to one resource at a time, so a resource with another uid is the one that replaced it.
 * Two files, however, may name the same sync at once.
 */
function mayTakeOver(owner: Owner, next: Owner): boolean {
  return isSameOwner(owner, next) || (owner.kind === "resource" && next.kind === "resource");
}

function managed(owner: Owner, declaration: SyncDeclaration): CoregitError {
  const name = `${declaration.namespace}/${declaration.name}`;
  return new CoregitError("Managed", `The sync ${name} is declared elsewhere (${owner.kind} ${owner.ref}).`, {
    details: { owner },
  });
}
