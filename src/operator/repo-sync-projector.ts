// RepoSync ⇄ row of a sync.
import type { SyncStatus } from "../domain/declaration.ts";
import { CoregitError } from "../domain/errors.ts";
import { type KubeObject, keyOf, keyOfObject, type ObjectKey } from "../kube/object.ts";
import { repoSyncStatusSchema } from "../resources/repo-sync-status.ts";
import { failedSyncStatus, type StatusContext, syncStatusToResource } from "../resources/status.ts";
import { toSyncDeclaration } from "../resources/to-declaration.ts";
import type { Declarations } from "../sync/declarations.ts";
import { REPO_SYNC } from "./kinds.ts";
import { ownerOf, parseObject } from "./parsed-object.ts";
import type { Projector } from "./reconcile-resource.ts";
import type { RowIndex } from "./row-index.ts";
import type { ShownSyncs } from "./shown-syncs.ts";

export type RepoSyncProjectorOptions = {
  readonly declarations: Declarations;
  readonly index: RowIndex;
  /** Sync id → its Connection, of syncs whose credential was refused last. */
  readonly refused: Map<string, ObjectKey>;
  readonly shown: ShownSyncs;
  /** Looks at a Connection whose credential was refused just now: its Secret may have been replaced since it was read. */
  readonly onRefused: (connection: ObjectKey) => void;
};

export function createRepoSyncProjector(options: RepoSyncProjectorOptions): Projector {
  const { declarations, index, refused, shown, onRefused } = options;
  const noteRefusal = ({ id, namespace, connection, lastErrorCode }: SyncStatus): void => {
    if (lastErrorCode !== "AuthenticationFailed" || connection === null) return void refused.delete(id);
    const key = keyOf({ namespace, name: connection });
    if (refused.get(id) !== key) onRefused(key);
    refused.set(id, key);
  };
  return {
    resource: REPO_SYNC,
    async project(object, now) {
      const declaration = toSyncDeclaration(parseObject("RepoSync", REPO_SYNC, object), ownerOf(object));
      const { id } = await declarations.declareSync(declaration);
      // What is announced of it is heard from here on; what it shows is read afterwards.
      index.set(keyOfObject(object), id, declaration.owner);
      const sync = await declarations.readSync(id);
      if (sync === null) throw new CoregitError("SyncNotFound", "The sync was removed while it was being declared.");
      shown.note(sync);
      noteRefusal(sync);
      const context = statusContext(object, now);
      const handledReconcileAt = declaration.requestedAt ?? undefined;
      return { status: syncStatusToResource(sync, { ...context, handledReconcileAt }) };
    },
    explain: (object, now, { code, message }: CoregitError) => failedSyncStatus(code, message, statusContext(object, now)),
    async withdraw(owner, { namespace, name }) {
      await declarations.withdrawSync(owner, namespace, name);
      const rowId = index.delete(keyOf({ namespace, name }));
      if (rowId !== null) shown.delete(rowId);
    },
    leftBehind: (key) => index.ownerOf(key),
  };
}

function statusContext(object: KubeObject, now: string): StatusContext {
  const previous = repoSyncStatusSchema.safeParse(object.status ?? {});
  return { generation: object.metadata.generation ?? 0, now, previous: previous.success ? previous.data : undefined };
}
