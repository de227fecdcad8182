// The three kinds while this process leads: a queue and a controller for each, fed by its cache.
import type { Database } from "../db/database.ts";
import type { Clock, Random } from "../domain/clock.ts";
import type { Logger } from "../domain/log.ts";
import { noTracer, type Tracer } from "../domain/tracer.ts";
import { Controller } from "../kube/controller.ts";
import type { EventRecorder } from "../kube/event-recorder.ts";
import type { KubeApi } from "../kube/kube-api.ts";
import type { ObjectKey, ResourceKind } from "../kube/object.ts";
import type { ObjectStore } from "../kube/object-store.ts";
import type { RuntimeMetrics } from "../kube/runtime-metrics.ts";
import type { Timers } from "../kube/timers.ts";
import { WorkQueue } from "../kube/work-queue.ts";
import type { Declarations } from "../sync/declarations.ts";
import { createConnectionProjector } from "./connection-projector.ts";
import { CONNECTION, REPO_SYNC, REPOSITORY } from "./kinds.ts";
import { createReconcile, type Projector } from "./reconcile-resource.ts";
import { createRepoSyncProjector } from "./repo-sync-projector.ts";
import { createRepositoryProjector } from "./repository-projector.ts";
import { measureResources, type ResourceMetrics } from "./resource-metrics.ts";
import { RowIndex } from "./row-index.ts";
import { ShownSyncs } from "./shown-syncs.ts";
import { isDeclarationChange, type Watches } from "./watches.ts";

export type KindRuntime = {
  readonly api: KubeApi;
  readonly events: EventRecorder;
  readonly watches: Watches;
  readonly database: Database;
  readonly declarations: Declarations;
  readonly publicUrl: string | null;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: RuntimeMetrics;
  /** Default: no traces. */
  readonly tracer?: Tracer;
  /** Default: no series of single resources. */
  readonly resourceMetrics?: ResourceMetrics | undefined;
};

export type KindAtWork = { readonly queue: WorkQueue; readonly index: RowIndex; readonly store: ObjectStore };

export type KindsAtWork = {
  readonly repoSyncs: KindAtWork;
  readonly connections: KindAtWork;
  readonly repositories: KindAtWork;
  /** Sync id → its Connection, of syncs whose credential was refused last. */
  readonly refused: Map<string, ObjectKey>;
  readonly shown: ShownSyncs;
};

/** A reconcile is a handful of calls; each has a shorter deadline of its own. */
const RECONCILE_DEADLINE_MS = 120_000;
/** Reconciles of one kind. */
export const RECONCILES_AT_ONCE = 8;

export function makeKinds(runtime: KindRuntime): KindsAtWork {
  const { watches, clock, timers, random, metrics } = runtime;
  const make = (resource: ResourceKind, store: ObjectStore): KindAtWork => {
    const onWaiting = (depth: number): void => metrics.queued(controllerName(resource), depth);
    return { queue: new WorkQueue({ clock, timers, random, onWaiting }), index: new RowIndex(), store };
  };
  return {
    repoSyncs: make(REPO_SYNC, watches.repoSyncs),
    connections: make(CONNECTION, watches.connections),
    repositories: make(REPOSITORY, watches.repositories),
    refused: new Map(),
    shown: new ShownSyncs(),
  };
}

/** Everything once, then what changes. `stack` ends it. */
export function startKinds(runtime: KindRuntime, kinds: KindsAtWork, stack: AsyncDisposableStack): void {
  const { connections, repositories, repoSyncs, refused, shown } = kinds;
  if (runtime.resourceMetrics !== undefined) {
    const measured = [
      { resource: REPO_SYNC, store: repoSyncs.store },
      { resource: CONNECTION, store: connections.store },
      { resource: REPOSITORY, store: repositories.store },
    ];
    stack.use(measureResources(runtime.resourceMetrics, measured));
  }
  const onRefused = (connection: ObjectKey): void => connections.queue.add(connection, "user");
  startKind(runtime, connections, createConnectionProjector({ ...runtime, index: connections.index }), stack);
  startKind(runtime, repositories, createRepositoryProjector({ ...runtime, index: repositories.index }), stack);
  startKind(
    runtime,
    repoSyncs,
    createRepoSyncProjector({ ...runtime, index: repoSyncs.index, refused, shown, onRefused }),
    stack,
  );
}

/**
 * The first look at each object goes by the cache, which spares a start one read an object. Where the cache was behind, a write by it
 * is refused, and an event is on its way; every later look reads.
 */
function startKind(
  runtime: KindRuntime,
  { queue, store, index }: KindAtWork,
  projector: Projector,
  stack: AsyncDisposableStack,
): void {
  const { clock, timers, metrics, logger, tracer = noTracer } = runtime;
  const unseen = new Set(store.keys());
  const controller = stack.use(
    new Controller({
      name: controllerName(projector.resource),
      queue,
      reconcile: createReconcile(runtime, projector, (key) => (unseen.delete(key) ? store.get(key) : null)),
      concurrency: RECONCILES_AT_ONCE,
      deadlineMs: RECONCILE_DEADLINE_MS,
      timers,
      clock,
      logger,
      metrics,
      tracer,
    }),
  );
  stack.use(
    store.subscribe((change) => {
      if (change.type === "resync") queue.add(change.key, "background");
      else if (isDeclarationChange(change)) queue.add(change.key, "user");
      else if (change.type === "deleted" && index.ownerOf(change.key) !== null) queue.add(change.key, "user");
    }),
  );
  for (const key of unseen) queue.add(key, "change");
  controller.start();
}

function controllerName({ kind }: ResourceKind): string {
  return kind.toLowerCase();
}
