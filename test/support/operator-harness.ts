// An operator in a namespace of its own on the test run's API server, with a database of its own and, where a test wants runs,
// the real engine and store.

import type { Database } from "../../src/db/database.ts";
import { systemClock } from "../../src/domain/clock.ts";
import type { Logger } from "../../src/domain/log.ts";
import type { KubeConfig } from "../../src/kube/kube-config.ts";
import type { LeaseTiming } from "../../src/kube/leader-lease.ts";
import type { KubeObject, ResourceKind } from "../../src/kube/object.ts";
import type { ReflectorTiming } from "../../src/kube/reflector.ts";
import { noRuntimeMetrics } from "../../src/kube/runtime-metrics.ts";
import { type Operator, openOperator } from "../../src/operator/operator.ts";
import { GROUP, VERSION } from "../../src/resources/kind.ts";
import { KINDS, type KindName } from "../../src/resources/kinds.ts";
import { openDeclarations } from "../../src/sync/open-declarations.ts";
import { type Cluster, type ClusterAddress, connectCluster, readyOf } from "./cluster.ts";
import { brokenInvariantsIn } from "./condition-invariants.ts";
import { TEST_KEYS } from "./quiet-spec.ts";
import { knowCredentials } from "./secrets/declared-secrets.ts";
import { silentLogger } from "./silent-logger.ts";
import { openSyncWorld, type SyncWorld } from "./sync-world.ts";
import { until } from "./until.ts";

export type OperatorHarness = AsyncDisposable & {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly world: SyncWorld;
  readonly operator: Operator;
  /** Successful reconciles since the last start, of all operators together. */
  readonly reconciles: number;
  /** Reconciles that failed, since the start of the harness. */
  readonly failures: number;
  /** Starts another operator beside the running one; disposal of the harness ends it. */
  startOperator(identity: string): Operator;
  /** Ends the running operator, gracefully, and starts another one. */
  restart(): Promise<void>;
  stopOperator(): Promise<void>;
  create(kind: KindName, name: string, spec: object, metadata?: object): Promise<KubeObject>;
  get(kind: KindName, name: string): Promise<KubeObject | null>;
  patch(kind: KindName, name: string, body: object): Promise<KubeObject>;
  delete(kind: KindName, name: string): Promise<void>;
  /** Waits for Ready to have this status and reason in the current generation, and answers the object. */
  untilReady(kind: KindName, name: string, status: string, reason: string): Promise<KubeObject>;
  untilGone(kind: KindName, name: string): Promise<void>;
  brokenInvariants(): Promise<string[]>;
};

export type HarnessOptions = {
  readonly publicUrl?: string;
  readonly reflectorTiming?: Partial<ReflectorTiming>;
  readonly leaseTiming?: LeaseTiming;
  readonly logger?: Logger;
  /** Default: the test run's API server. */
  readonly address?: ClusterAddress;
  /** How the operator, of which there is one then, reaches the cluster and the database; the test itself goes straight. */
  readonly configure?: (cluster: Cluster, namespace: string) => Promise<KubeConfig> | KubeConfig;
  readonly database?: Database;
  /** A world that the test owns; default: one that the harness owns. */
  readonly world?: SyncWorld;
};

export function kindOf(kind: KindName): ResourceKind {
  return { group: GROUP, version: VERSION, plural: KINDS[kind].plural, kind };
}

export async function startOperatorHarness(options: HarnessOptions = {}): Promise<OperatorHarness> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await connectCluster(options.address));
  const namespace = await cluster.createNamespace();
  const world = options.world ?? stack.use(await openSyncWorld());
  const { store } = world;
  const database = options.database ?? world.database;
  const configured = await options.configure?.(cluster, namespace);
  const operators = new Set<Operator>();
  stack.defer(async () => void (await Promise.all([...operators].map((each) => each[Symbol.asyncDispose]()))));

  let reconciles = 0;
  let failures = 0;
  const count = (_: string, result: string): void => {
    if (result === "error") failures += 1;
    else reconciles += 1;
  };
  const startOperator = (identity: string): Operator => {
    const operator = openOperator({
      kubeConfig: configured ?? cluster.newConfig(),
      database,
      declarationsOver: (fenced) => knowCredentials(openDeclarations({ database: fenced, store, keys: TEST_KEYS })),
      namespaces: [namespace],
      publicUrl: options.publicUrl ?? null,
      identity,
      version: "0.0.0-test",
      leaseNamespace: namespace,
      clock: systemClock,
      random: Math.random,
      logger: options.logger ?? silentLogger,
      metrics: { ...noRuntimeMetrics, reconciled: count },
      leaseTiming: options.leaseTiming ?? { durationMs: 3000, renewDeadlineMs: 2000, retryMs: 200 },
      reflectorTiming: options.reflectorTiming ?? {},
    });
    operators.add(operator);
    return operator;
  };
  const end = async (operator: Operator): Promise<void> => {
    operators.delete(operator);
    await operator[Symbol.asyncDispose]();
  };

  let operator = startOperator("first");
  let restarts = 0;
  const owned = stack.move();
  const { api } = cluster;
  const at = (name: string) => ({ namespace, name });
  return {
    cluster,
    namespace,
    world,
    get operator() {
      return operator;
    },
    get reconciles() {
      return reconciles;
    },
    get failures() {
      return failures;
    },
    startOperator,
    async restart() {
      await end(operator);
      restarts += 1;
      reconciles = 0;
      operator = startOperator(`restarted-${restarts}`);
    },
    stopOperator: () => end(operator),
    create: (kind, name, spec, metadata = {}) => api.create(kindOf(kind), namespace, { metadata: { name, ...metadata }, spec }),
    get: (kind, name) => api.get(kindOf(kind), at(name)),
    patch: (kind, name, body) => api.patch(kindOf(kind), at(name), body),
    delete: (kind, name) => api.delete(kindOf(kind), at(name)),
    async untilReady(kind, name, status, reason) {
      let object: KubeObject | null = null;
      await until(`${kind} ${name} is ${status}/${reason}`, async () => {
        object = await api.get(kindOf(kind), at(name));
        return isSettled(object) && readyOf(object).status === status && readyOf(object).reason === reason;
      }).catch((error: unknown) => {
        throw new Error(`it shows ${JSON.stringify(object?.status)}`, { cause: error });
      });
      if (object === null) throw new Error(`${kind} ${name} is gone`);
      return object;
    },
    untilGone: (kind, name) => until(`${kind} ${name} is gone`, async () => (await api.get(kindOf(kind), at(name))) === null),
    brokenInvariants: () => brokenInvariantsIn(cluster, namespace),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function isSettled(object: KubeObject | null): boolean {
  const { observedGeneration } = (object?.status ?? {}) as { readonly observedGeneration?: number };
  return object !== null && observedGeneration === object.metadata.generation;
}
