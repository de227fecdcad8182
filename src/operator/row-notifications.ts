// Rows that change by themselves: runs, checks of credentials, pushes. What is announced is looked at again; after a gap in
// the announcements, everything is.
import { CHANNELS, type Database } from "../db/database.ts";
import type { Declarations } from "../sync/declarations.ts";
import type { KindAtWork, KindsAtWork } from "./kinds-at-work.ts";

/** Pushes come in bursts; what a repository shows of them is written once a burst. */
const REF_SETTLE_MS = 1000;

type Rows = { readonly database: Database; readonly declarations: Declarations };

/** `stack` ends it. */
export async function listenToRows(
  { database, declarations }: Rows,
  kinds: KindsAtWork,
  stack: AsyncDisposableStack,
): Promise<void> {
  const { repoSyncs, connections, repositories } = kinds;
  const listen = async (channel: string, kind: KindAtWork, onMessage: (rowId: string) => void): Promise<void> => {
    stack.use(await database.listen(channel, { onMessage, onGap: () => lookAtAll(kind) }));
  };
  await listen(CHANNELS.syncChanged, repoSyncs, (id) => void lookAtSync(declarations, kinds, id));
  await listen(CHANNELS.connectionChanged, connections, (id) => lookAt(connections, id));
  await listen(CHANNELS.runEnded, connections, (id) => readSecretAgain(kinds, id));
  await listen(CHANNELS.refMoved, repositories, (id) => {
    const key = repositories.index.keyOf(id);
    if (key !== null) repositories.queue.addAfter(key, REF_SETTLE_MS);
  });
}

function lookAt({ queue, index }: KindAtWork, rowId: string): void {
  const key = index.keyOf(rowId);
  if (key !== null) queue.add(key, "change");
}

/** Much that is announced was shown before: what this process itself has just declared, to begin with. */
async function lookAtSync(declarations: Declarations, { repoSyncs, shown }: KindsAtWork, id: string): Promise<void> {
  if (repoSyncs.index.keyOf(id) === null) return;
  // What cannot be read now is looked at, with the queue's repetitions.
  const sync = await declarations.readSync(id).catch(() => null);
  if (sync === null || shown.isNews(sync)) lookAt(repoSyncs, id);
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
