// RepoSync ⇄ row of a sync.
import type { CoregitError } from "../domain/errors.ts";
import { type KubeObject, keyOf, keyOfObject, nameOf, type ObjectKey } from "../kube/object.ts";
import { repoSyncStatusSchema } from "../resources/repo-sync-status.ts";
import { failedSyncStatus, type StatusContext, syncStatusToResource } from "../resources/status.ts";
import { toSyncDeclaration } from "../resources/to-declaration.ts";
import type { Declarations } from "../sync/declarations.ts";
import { REPO_SYNC } from "./kinds.ts";
import { ownerOf, parseObject } from "./parsed-object.ts";
import type { Projector } from "./reconcile-resource.ts";
import type { RowIndex } from "./row-index.ts";

export type RepoSyncProjectorOptions = {
  readonly declarations: Declarations;
  readonly index: RowIndex;
  /** Sync id → its Connection, of syncs whose credential was refused last. */
  readonly refused: Map<string, ObjectKey>;
};

export function createRepoSyncProjector({ declarations, index, refused }: RepoSyncProjectorOptions): Projector {
  return {
    resource: REPO_SYNC,
    async project(object, now) {
      const declaration = toSyncDeclaration(parseObject("RepoSync", REPO_SYNC, object), ownerOf(object));
      const declared = await declarations.declareSync(declaration);
      const isNew = index.set(keyOfObject(object), declared.id);
      const sync = (isNew ? await declarations.readSync(declared.id) : null) ?? declared;
      const isRefused = sync.lastErrorCode === "AuthenticationFailed" && sync.connection !== null;
      if (isRefused) refused.set(sync.id, keyOf({ namespace: sync.namespace, name: sync.connection }));
      else refused.delete(sync.id);
      const context = statusContext(object, now);
      const handledReconcileAt = declaration.requestedAt ?? undefined;
      return { status: syncStatusToResource(sync, { ...context, handledReconcileAt }) };
    },
    explain: (object, now, { code, message }: CoregitError) => failedSyncStatus(code, message, statusContext(object, now)),
    async withdraw(object) {
      const { namespace, name } = nameOf(object);
      await declarations.withdrawSync(ownerOf(object), namespace, name);
      index.delete(keyOfObject(object));
    },
  };
}

function statusContext(object: KubeObject, now: string): StatusContext {
  const previous = repoSyncStatusSchema.safeParse(object.status ?? {});
  return { generation: object.metadata.generation ?? 0, now, previous: previous.success ? previous.data : undefined };
}
