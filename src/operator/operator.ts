// The operator: custom resources of a cluster become rows, and rows are shown as their status. Every replica watches; the
// holder of a lease reconciles. The runs themselves are the engine's and go on in every replica, whoever leads.
import type { Database } from "../db/database.ts";
import type { Clock, Random } from "../domain/clock.ts";
import type { Logger } from "../domain/log.ts";
import { type ProgressBoard, unwatched } from "../domain/progress.ts";
import type { Tracer } from "../domain/tracer.ts";
import { EventRecorder } from "../kube/event-recorder.ts";
import { KubeApi } from "../kube/kube-api.ts";
import { currentNamespace, type KubeConfig } from "../kube/kube-config.ts";
import { LeaderLease, type LeaseTiming } from "../kube/leader-lease.ts";
import { Reflector, type ReflectorTiming } from "../kube/reflector.ts";
import type { RuntimeMetrics } from "../kube/runtime-metrics.ts";
import { systemTimers, type Timers } from "../kube/timers.ts";
import { KubeTransport } from "../kube/transport.ts";
import { GROUP } from "../resources/kind.ts";
import type { Declarations } from "../sync/declarations.ts";
import { leadTerm } from "./lead-term.ts";
import type { ResourceMetrics } from "./resource-metrics.ts";
import { Watches } from "./watches.ts";

export type OperatorOptions = {
  readonly kubeConfig: KubeConfig;
  readonly database: Database;
  /** Declarations that write through the given database, which refuses the writes of a former leader. */
  readonly declarationsOver: (database: Database) => Declarations;
  /** Empty: the whole cluster. */
  readonly namespaces: readonly string[];
  /** Base URL of clone addresses in statuses; null: none is shown. */
  readonly publicUrl: string | null;
  /** Unique to this process, for example the pod's name. */
  readonly identity: string;
  /** Version in the User-Agent. */
  readonly version: string;
  /** Namespace of the lease; default: the pod's, or the kubeconfig context's. */
  readonly leaseNamespace?: string;
  readonly clock: Clock;
  /** Of the runtime's waits and deadlines; default: the system's. */
  readonly timers?: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: RuntimeMetrics;
  /** Default: no traces. */
  readonly tracer?: Tracer;
  /** Default: no series of single resources. */
  readonly resourceMetrics?: ResourceMetrics | undefined;
  readonly leaseTiming?: LeaseTiming;
  readonly reflectorTiming?: Partial<ReflectorTiming>;
  /** Follows each watch. */
  readonly progress?: ProgressBoard;
};

export interface Operator extends AsyncDisposable {
  /** True while this process holds the lease. */
  readonly isLeader: boolean;
  /** Resolves once the caches hold a first complete list. A follower is as ready as a leader. */
  readonly synced: Promise<void>;
  /** Time since the quietest watch last heard from the API server. */
  readonly watchAgeMs: number;
}

export const LEASE_NAME = "coregit-operator";
/** A watch ends itself after 150 s of silence, and a call after 30 s. */
const MAX_WATCH_SILENCE_MS = 300_000;
const FIELD_MANAGER = "coregit-operator";

/**
 * Starts watching and campaigning, and returns without waiting for the cluster or the database: what is not there yet is
 * waited for. Disposal ends running reconciles, gives the lease back and closes every connection.
 */
export function openOperator(options: OperatorOptions): Operator {
  const { kubeConfig, clock, random, logger, metrics, identity } = options;
  const timers = options.timers ?? systemTimers;
  const transport = new KubeTransport(kubeConfig, `coregit/${options.version}`, timers);
  const api = new KubeApi(transport, FIELD_MANAGER);
  const events = new EventRecorder({ api, clock, logger, controller: `${GROUP}/operator`, instance: identity });
  const shared = { api, clock, timers, random, logger, metrics };
  const timing = options.reflectorTiming ?? {};
  const watches = new Watches(options.namespaces, (resource, namespace, store) => {
    const heartbeat = options.progress?.follow(`watch of ${resource.plural}`, MAX_WATCH_SILENCE_MS) ?? unwatched;
    return new Reflector({ ...shared, resource, namespace, store, timing, heartbeat });
  });
  const name = { namespace: options.leaseNamespace ?? currentNamespace(kubeConfig), name: LEASE_NAME };
  const leaseTiming = options.leaseTiming === undefined ? {} : { timing: options.leaseTiming };
  const lease = new LeaderLease({ ...shared, ...leaseTiming, name, identity });

  const stop = new AbortController();
  watches.start();
  const lead = async (lost: AbortSignal): Promise<void> => {
    metrics.leading(true);
    await leadTerm({ ...options, ...shared, events, watches }, lost);
    metrics.leading(false);
  };
  const campaign = lease.campaign(stop.signal, lead);

  return {
    get isLeader() {
      return lease.isHeld;
    },
    synced: watches.synced(),
    get watchAgeMs() {
      return watches.contactAgeMs;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await campaign;
      await watches[Symbol.asyncDispose]();
      await events[Symbol.asyncDispose]();
      await transport[Symbol.asyncDispose]();
    },
  };
}
