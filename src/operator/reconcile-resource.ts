// The one order in which every kind is reconciled: get → deleting? → finalizer → project → status patch. The finalizer comes
// before the row, so that no row outlives its resource. What the resource is at fault for becomes a condition; what the
// machinery is at fault for is thrown, and repeated by the controller without touching the status.
import type { Clock } from "../domain/clock.ts";
import { type CoregitError, retryKind, toCoregitError } from "../domain/errors.ts";
import type { Owner } from "../domain/sync-spec.ts";
import { hasStatus, KubeApiError } from "../kube/api-error.ts";
import type { Outcome, Reconcile } from "../kube/controller.ts";
import type { EventRecorder } from "../kube/event-recorder.ts";
import type { KubeApi } from "../kube/kube-api.ts";
import { mergePatch } from "../kube/merge-patch.ts";
import { type KubeObject, nameOf, type ObjectKey, type ObjectName, parseKey, type ResourceKind } from "../kube/object.ts";
import type { Condition } from "../resources/condition.ts";
import type { RepoSyncStatus } from "../resources/repo-sync-status.ts";
import { FINALIZER } from "./kinds.ts";
import { ownerOf } from "./parsed-object.ts";
import { webhookNews } from "./webhook-news.ts";

/** What a resource shows, whole: fields that are absent are removed. */
export type ShownStatus = {
  readonly conditions?: readonly Condition[] | undefined;
  readonly webhook?: RepoSyncStatus["webhook"] | undefined;
};

export type Projection = { readonly status: ShownStatus; readonly requeueAfterMs?: number };

/** What differs from kind to kind. `now` is RFC 3339, as the API writes times. */
export interface Projector {
  readonly resource: ResourceKind;
  /**
   * Makes the row equal to the resource and answers what to show. Idempotent.
   * @throws CoregitError; one of kind terminal is shown as a condition, anything else is repeated.
   */
  project(object: KubeObject, now: string, signal: AbortSignal): Promise<Projection>;
  /** The status of a resource that could not be taken over. */
  explain(object: KubeObject, now: string, failure: CoregitError): ShownStatus;
  /** Undoes what `project` did, also half of it, also when whatever the resource names is gone. Idempotent. */
  withdraw(owner: Owner, name: ObjectName): Promise<void>;
  /** Whose row is left of a resource that went without its finalizer; null: nobody's, or one that stays. */
  leftBehind(key: ObjectKey): Owner | null;
}

export type ReconcileContext = { readonly api: KubeApi; readonly events: EventRecorder; readonly clock: Clock };

/** An object as good as a fresh read; null: read it. */
export type ReadAlready = (key: ObjectKey) => KubeObject | null;

export function createReconcile(context: ReconcileContext, projector: Projector, readAlready: ReadAlready): Reconcile {
  return async (key, signal) => {
    const object = readAlready(key) ?? (await context.api.get(projector.resource, parseKey(key), { signal }));
    if (object === null) return withdrawRest(projector, key);
    if (object.metadata.deletionTimestamp !== undefined) return remove(context, projector, object, signal);
    const held = await hold(context, projector.resource, object, signal);
    if (held === null) return {};
    const now = `${new Date(context.clock.now()).toISOString().slice(0, 19)}Z`;
    const { status, ...outcome } = await projectOrExplain(projector, held, now, signal);
    await show(context, projector.resource, held, status, signal);
    return outcome;
  };
}

/** Somebody removed the finalizer by hand: what it stood for is done all the same. */
async function withdrawRest(projector: Projector, key: ObjectKey): Promise<Outcome> {
  const owner = projector.leftBehind(key);
  if (owner !== null) await projector.withdraw(owner, parseKey(key));
  return {};
}

async function remove(
  { api }: ReconcileContext,
  projector: Projector,
  object: KubeObject,
  signal: AbortSignal,
): Promise<Outcome> {
  const finalizers = object.metadata.finalizers ?? [];
  if (!finalizers.includes(FINALIZER)) return {};
  await projector.withdraw(ownerOf(object), nameOf(object));
  await patchFinalizers(
    api,
    projector.resource,
    object,
    finalizers.filter((name) => name !== FINALIZER),
    signal,
  );
  return {};
}

/** The object with our finalizer; null when it is gone. */
async function hold(
  { api }: ReconcileContext,
  resource: ResourceKind,
  object: KubeObject,
  signal: AbortSignal,
): Promise<KubeObject | null> {
  const finalizers = object.metadata.finalizers ?? [];
  if (finalizers.includes(FINALIZER)) return object;
  return patchFinalizers(api, resource, object, [...finalizers, FINALIZER], signal);
}

async function patchFinalizers(
  api: KubeApi,
  resource: ResourceKind,
  object: KubeObject,
  finalizers: readonly string[],
  signal: AbortSignal,
): Promise<KubeObject | null> {
  try {
    return await api.patchMetadata(resource, object, { finalizers }, { signal });
  } catch (error) {
    if (hasStatus(error, 404)) return null;
    throw error;
  }
}

async function projectOrExplain(projector: Projector, object: KubeObject, now: string, signal: AbortSignal): Promise<Projection> {
  try {
    return await projector.project(object, now, signal);
  } catch (error) {
    if (error instanceof KubeApiError) throw error;
    const failure = toCoregitError(error);
    if (retryKind(failure.code) !== "terminal") throw error;
    return { status: projector.explain(object, now, failure) };
  }
}

async function show(
  { api, events }: ReconcileContext,
  resource: ResourceKind,
  object: KubeObject,
  status: ShownStatus,
  signal: AbortSignal,
): Promise<void> {
  const current = (object.status ?? {}) as ShownStatus;
  const patch = mergePatch(current, status);
  if (patch === null) return;
  await api.patchStatus(resource, object, patch, { signal }).catch(explainRefusedStatus);
  announce(events, resource, object, current, status);
  const unavailable = webhookNews(current.webhook, status.webhook);
  if (unavailable !== null) events.record(resource, object, unavailable);
}

/** The API server prunes what its CRD does not know, but refuses values that it knows otherwise. */
function explainRefusedStatus(error: unknown): never {
  if (!(error instanceof KubeApiError) || error.status !== 422) throw error;
  const { status, reason, message } = error;
  const sentence = `The CRDs of the cluster do not take this status, so they are not those of this version: ${message}`;
  throw new KubeApiError({ status, reason, message: sentence, cause: error });
}

/** An Event for each change that a person may want to know of; progress is not one. */
function announce(
  events: EventRecorder,
  resource: ResourceKind,
  object: KubeObject,
  before: ShownStatus,
  after: ShownStatus,
): void {
  const [was, is] = [before, after].map(({ conditions }) => conditions?.find(({ type }) => type === "Ready"));
  if (is === undefined || is.reason === "Progressing") return;
  // Whoever makes it suspended knows.
  if (was === undefined && is.reason === "Suspended") return;
  if (was?.status === is.status && was.reason === is.reason && was.message === is.message) return;
  const type = is.status === "False" && is.reason !== "Suspended" ? "Warning" : "Normal";
  events.record(resource, object, { type, reason: is.reason, action: "Reconcile", message: is.message });
}
