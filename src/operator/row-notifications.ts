// Rows that change by themselves: runs, checks of credentials, pushes. What is announced is looked at again; after a gap in
// the announcements, everything is.
import { CHANNELS, type Database } from "../db/database.ts";
import type { KindAtWork, KindsAtWork } from "./kinds-at-work.ts";

/** Pushes come in bursts; what a repository shows of them is written once a burst. */
const REF_SETTLE_MS = 1000;

/** `stack` ends it. */
export async function listenToRows(database: Database, kinds: KindsAtWork, stack: AsyncDisposableStack): Promise<void> {
  const { repoSyncs, connections, repositories } = kinds;
  const listen = async (channel: string, kind: KindAtWork, onMessage: (rowId: string) => void): Promise<void> => {
    stack.use(await database.listen(channel, { onMessage, onGap: () => lookAtAll(kind) }));
  };
  await listen(CHANNELS.syncChanged, repoSyncs, (id) => lookAt(repoSyncs, id));
  await listen(CHANNELS.connectionChanged, connections, (id) => lookAt(connections, id));
  await listen(CHANNELS.runEnded, connections, (id) => readSecretAgain(kinds, id));
  await listen(CHANNELS.refMoved, repositories, (id) => {
    const key = repositories.index.keyOf(id);
    if (key !== null) repositories.queue.addAfter(key, REF_SETTLE_MS);
  });
}

function lookAt({ queue, index }: KindAtWork, rowId: string): void {
  const key = index.keyOf(rowId);
  if (key !== null) queue.add(key, "user");
}

function lookAtAll({ queue, store }: KindAtWork): void {
  for (const key of store.keys()) queue.add(key, "background");
}

/** A run was refused once more: perhaps the Secret has been replaced since it was read. */
function readSecretAgain({ repoSyncs, connections, refused }: KindsAtWork, syncId: string): void {
  const connection = refused.get(syncId);
  if (connection === undefined) return;
  if (repoSyncs.index.keyOf(syncId) === null) refused.delete(syncId);
  else connections.queue.add(connection, "background");
}
