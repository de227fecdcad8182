// Sync points: rows of `sync_points`, one for each local branch that a sync wrote.
import { type Oid, parseOid } from "../domain/oid.ts";
import type { Queryable } from "./database.ts";

/** What the last success left: the base of the next plan. */
export type SyncPoint = {
  readonly remoteBranch: string;
  readonly remoteCommit: Oid;
  readonly remoteTree: Oid;
  /** Content of the remote's commit object, so that a later fetch can build on it. */
  readonly remoteObject: Uint8Array;
  /** Null: the source was empty and the branch is not there. */
  readonly localCommit: Oid | null;
  readonly localTree: Oid | null;
};

type PointRow = {
  readonly remote_branch: string;
  readonly remote_commit: string;
  readonly remote_tree: string;
  readonly remote_object: Uint8Array;
  readonly local_commit: string | null;
  readonly local_tree: string | null;
};

const SELECT = `
  SELECT remote_branch, remote_commit, remote_tree, remote_object, local_commit, local_tree
  FROM sync_points WHERE sync_id = $1 AND branch = $2`;

export async function readSyncPoint(db: Queryable, syncId: string, branch: string): Promise<SyncPoint | null> {
  const { rows } = await db.query<PointRow>(SELECT, [syncId, branch], "read-sync-point");
  const [row] = rows;
  if (row === undefined) return null;
  return {
    remoteBranch: row.remote_branch,
    remoteCommit: parseOid(row.remote_commit),
    remoteTree: parseOid(row.remote_tree),
    remoteObject: row.remote_object,
    localCommit: row.local_commit === null ? null : parseOid(row.local_commit),
    localTree: row.local_tree === null ? null : parseOid(row.local_tree),
  };
}

/**
 * What any sync of the repository knows of a remote's commit: an id names one content, whichever sync met it. Its tree is
 * stored in the repository.
 */
export async function findRemoteCommit(
  db: Queryable,
  repositoryId: string,
  commit: Oid,
): Promise<Pick<SyncPoint, "remoteCommit" | "remoteTree" | "remoteObject"> | null> {
  const { rows } = await db.query<Pick<PointRow, "remote_tree" | "remote_object">>(
    `SELECT p.remote_tree, p.remote_object FROM sync_points p JOIN syncs s ON s.id = p.sync_id
     WHERE s.repository_id = $1 AND p.remote_commit = $2 LIMIT 1`,
    [repositoryId, commit],
  );
  const [row] = rows;
  return row === undefined
    ? null
    : { remoteCommit: commit, remoteTree: parseOid(row.remote_tree), remoteObject: row.remote_object };
}

const UPSERT = `
  INSERT INTO sync_points
    (sync_id, branch, remote_branch, remote_commit, remote_tree, remote_object, local_commit, local_tree)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (sync_id, branch) DO UPDATE SET
    remote_branch = excluded.remote_branch, remote_commit = excluded.remote_commit, remote_tree = excluded.remote_tree,
    remote_object = excluded.remote_object, local_commit = excluded.local_commit, local_tree = excluded.local_tree,
    updated_at = now()`;

export async function writeSyncPoint(db: Queryable, syncId: string, branch: string, point: SyncPoint): Promise<void> {
  await db.query(UPSERT, [
    syncId,
    branch,
    point.remoteBranch,
    point.remoteCommit,
    point.remoteTree,
    point.remoteObject,
    point.localCommit,
    point.localTree,
  ]);
}

/** Starts a new baseline: the next run of every branch plans from nothing. */
export async function clearSyncPoints(db: Queryable, syncIds: readonly string[]): Promise<void> {
  await db.query("DELETE FROM sync_points WHERE sync_id = ANY($1)", [syncIds]);
}
