// What an uninstall leaves behind: resources without the finalizer that only an operator removes, or none at all.
import type { Clock } from "../domain/clock.ts";
import { hasStatus } from "../kube/api-error.ts";
import type { KubeApi } from "../kube/kube-api.ts";
import { type KubeObject, nameOf, type ResourceKind } from "../kube/object.ts";
import { CONNECTION, FINALIZER, REPO_SYNC, REPOSITORY } from "./kinds.ts";

export type ReleaseOptions = {
  readonly api: KubeApi;
  /** Empty: the whole cluster. */
  readonly namespaces: readonly string[];
  /** Resolves after so many milliseconds, and keeps the process alive until then; rejects when the signal aborts. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  /** How long deleted resources may wait for an operator to remove their finalizer. */
  readonly graceMs: number;
  readonly signal: AbortSignal;
};

/** Syncs first: what they use is then unused. */
const KINDS = [REPO_SYNC, CONNECTION, REPOSITORY] as const;
const POLL_MS = 500;

/** Takes the finalizer from every resource; answers from how many. Resources that are being deleted are gone then. */
export async function releaseResources(options: ReleaseOptions): Promise<number> {
  const released = new Set<string>();
  for (let held = await listHeld(options); held.length > 0; held = await listHeld(options)) {
    options.signal.throwIfAborted();
    for (const [kind, object] of held) {
      if (await letGo(options, kind, object)) released.add(object.metadata.uid);
    }
  }
  return released.size;
}

/** Deletes every resource, leaves an operator until `graceMs` are over to withdraw them, and then lets go of those that are left. */
export async function deleteResources(options: ReleaseOptions): Promise<number> {
  const { api, signal, pause, clock, graceMs } = options;
  const untilMs = clock.monotonic() + graceMs;
  const all = await listAll(options);
  for (const [kind, object] of all) await api.delete(kind, nameOf(object), { signal });
  while (clock.monotonic() < untilMs && (await listAll(options)).length > 0) await pause(POLL_MS, signal);
  await releaseResources(options);
  return all.length;
}

type Listed = readonly [ResourceKind, KubeObject];

async function listHeld(options: ReleaseOptions): Promise<readonly Listed[]> {
  return (await listAll(options)).filter(([, { metadata }]) => metadata.finalizers?.includes(FINALIZER));
}

async function listAll({ api, namespaces, signal }: ReleaseOptions): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  const scopes = namespaces.length === 0 ? [null] : namespaces;
  for (const kind of KINDS) {
    for (const scope of scopes) {
      await api
        .list(kind, scope, (items) => found.push(...items.map((item) => [kind, item] as const)), { signal })
        .catch(ignoreStatus(404));
    }
  }
  return found;
}

/** False when the object has changed or is gone. */
async function letGo({ api, signal }: ReleaseOptions, kind: ResourceKind, object: KubeObject): Promise<boolean> {
  const finalizers = (object.metadata.finalizers ?? []).filter((name) => name !== FINALIZER);
  const patched = await api.patchMetadata(kind, object, { finalizers }, { signal }).catch(ignoreStatus(404, 409));
  return patched !== undefined;
}

function ignoreStatus(...statuses: readonly number[]): (error: unknown) => undefined {
  return (error) => {
    if (!statuses.some((status) => hasStatus(error, status))) throw error;
    return undefined;
  };
}
