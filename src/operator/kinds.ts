// The kinds of this operator, as the runtime addresses them.
import type { ResourceKind } from "../kube/object.ts";
import { connection } from "../resources/connection.ts";
import { GROUP, VERSION } from "../resources/kind.ts";
import { repoSync } from "../resources/repo-sync.ts";
import { repository } from "../resources/repository.ts";

function kind(definition: { readonly kind: string; readonly plural: string }): ResourceKind {
  return { group: GROUP, version: VERSION, plural: definition.plural, kind: definition.kind };
}

export const REPO_SYNC = kind(repoSync);
export const CONNECTION = kind(connection);
export const REPOSITORY = kind(repository);
export const SECRET: ResourceKind = { group: "", version: "v1", plural: "secrets", kind: "Secret" };

/** Held by every resource until its row is gone. */
export const FINALIZER = `${GROUP}/finalizer`;
