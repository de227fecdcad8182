// What resources show of themselves, as numbers: each while it is there and this process leads. From the cache, so that it costs the
// API server nothing; a status counts once the watch has brought it back.
import { type KubeObject, nameOf, type ResourceKind } from "../kube/object.ts";
import type { ObjectStore } from "../kube/object-store.ts";
import type { Condition } from "../resources/condition.ts";

/** Whoever wants numbers passes an implementation in. */
export interface ResourceMetrics {
  shown(resource: {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly conditions: readonly Pick<Condition, "type" | "status" | "reason">[];
    /** Epoch milliseconds; null: it has no such time. */
    readonly lastSyncedAtMs: number | null;
  }): void;
  gone(resource: { readonly kind: string; readonly namespace: string; readonly name: string }): void;
  /** Somebody else shows them now. */
  cleared(): void;
}

type MeasuredKind = { readonly resource: ResourceKind; readonly store: ObjectStore };

/** Until it is disposed of: then nothing is shown any more. */
export function measureResources(metrics: ResourceMetrics, kinds: readonly MeasuredKind[]): Disposable {
  const stack = new DisposableStack();
  stack.defer(() => metrics.cleared());
  for (const { resource, store } of kinds) {
    const { kind } = resource;
    stack.use(
      store.subscribe(({ type, object }) => {
        if (type === "deleted") metrics.gone({ kind, ...nameOf(object) });
        else if (type !== "resync") metrics.shown(measured(kind, object));
      }),
    );
    for (const object of store.list()) metrics.shown(measured(kind, object));
  }
  return stack;
}

/** Whatever a hand may have written into the status. */
function measured(kind: string, object: KubeObject) {
  const { conditions, lastSyncedAt } = (object.status ?? {}) as { conditions?: readonly Condition[]; lastSyncedAt?: string };
  const lastSyncedAtMs = Date.parse(lastSyncedAt ?? "");
  return {
    kind,
    ...nameOf(object),
    conditions: conditions ?? [],
    lastSyncedAtMs: Number.isNaN(lastSyncedAtMs) ? null : lastSyncedAtMs,
  };
}
