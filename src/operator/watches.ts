// The caches of the three kinds and the reflectors that fill them: one a kind and namespace. They run in leaders and
// followers alike, so that a new leader starts warm.

import type { KubeObject, ResourceKind } from "../kube/object.ts";
import type { Change } from "../kube/object-store.ts";
import { ObjectStore } from "../kube/object-store.ts";
import type { Reflector } from "../kube/reflector.ts";
import { REQUESTED_AT } from "../resources/kind.ts";
import { CONNECTION, FINALIZER, REPO_SYNC, REPOSITORY } from "./kinds.ts";

export type MakeReflector = (resource: ResourceKind, namespace: string | null, store: ObjectStore) => Reflector;

export class Watches implements AsyncDisposable {
  readonly repoSyncs = new ObjectStore();
  readonly connections = new ObjectStore();
  readonly repositories = new ObjectStore();
  readonly #reflectors: readonly Reflector[];

  constructor(namespaces: readonly string[], make: MakeReflector) {
    const scopes = namespaces.length === 0 ? [null] : namespaces;
    const kinds = [
      [CONNECTION, this.connections],
      [REPOSITORY, this.repositories],
      [REPO_SYNC, this.repoSyncs],
    ] as const;
    this.#reflectors = kinds.flatMap(([resource, store]) => scopes.map((namespace) => make(resource, namespace, store)));
  }

  start(): void {
    for (const reflector of this.#reflectors) reflector.start();
  }

  /** Resolves when every cache holds a first complete list. */
  async synced(): Promise<void> {
    await Promise.all(this.#reflectors.map(({ synced }) => synced));
  }

  /** Time since the quietest watch last heard from the API server. */
  get contactAgeMs(): number {
    return Math.max(0, ...this.#reflectors.map(({ contactAgeMs }) => contactAgeMs));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector[Symbol.asyncDispose]()));
  }
}

/** What a person did. The writes of this program, statuses and its finalizer, move none of these. */
export function isDeclarationChange({ type, object, previous }: Change): boolean {
  if (type === "added") return true;
  if (type !== "updated" || previous === null) return false;
  return fingerprint(object) !== fingerprint(previous) || (isHeld(previous) && !isHeld(object));
}

function isHeld({ metadata }: KubeObject): boolean {
  return metadata.finalizers?.includes(FINALIZER) === true;
}

function fingerprint({ metadata }: KubeObject): string {
  const { uid, generation, deletionTimestamp, finalizers, annotations } = metadata;
  const others = finalizers?.filter((name) => name !== FINALIZER) ?? [];
  return JSON.stringify([uid, generation, deletionTimestamp, others, annotations?.[REQUESTED_AT]]);
}
