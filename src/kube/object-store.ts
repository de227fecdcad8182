// The last known state of one kind, kept up by reflectors. Readers may be behind the cluster: what is written by it names the
// version that was read, so that the server can refuse. Parts that nobody reads (managedFields, last-applied) are not kept.
import { type KubeObject, keyOfObject, type ObjectKey } from "./object.ts";

export type Change = {
  readonly type: "added" | "updated" | "deleted" | "resync";
  readonly key: ObjectKey;
  /** As it is now, or as it was before it was deleted. */
  readonly object: KubeObject;
  /** As it was before an update, else null. */
  readonly previous: KubeObject | null;
};

export type ChangeListener = (change: Change) => void;

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

export class ObjectStore {
  readonly #objects = new Map<ObjectKey, KubeObject>();
  readonly #listeners = new Set<ChangeListener>();

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): KubeObject | null {
    return this.#objects.get(key) ?? null;
  }

  keys(): ObjectKey[] {
    return [...this.#objects.keys()];
  }

  list(): KubeObject[] {
    return [...this.#objects.values()];
  }

  /** Listeners must not throw; they are called in the order of the changes. */
  subscribe(listener: ChangeListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  upsert(incoming: KubeObject): void {
    const object = stripped(incoming);
    const key = keyOfObject(object);
    const previous = this.#objects.get(key) ?? null;
    if (previous !== null && isSameVersion(previous, object)) return;
    this.#objects.set(key, object);
    this.#emit({ type: previous === null ? "added" : "updated", key, object, previous });
  }

  remove(incoming: KubeObject): void {
    const key = keyOfObject(incoming);
    if (!this.#objects.delete(key)) return;
    this.#emit({ type: "deleted", key, object: stripped(incoming), previous: null });
  }

  /**
   * Makes the objects of `namespace` (null: all) exactly these. What did not change is told as `resync`.
   * Answers how many objects differed.
   */
  replace(namespace: string | null, incoming: readonly KubeObject[]): number {
    let differences = 0;
    const present = new Set<ObjectKey>();
    for (const object of incoming) {
      const key = keyOfObject(object);
      present.add(key);
      const known = this.#objects.get(key);
      if (known !== undefined && isSameVersion(known, object)) {
        this.#emit({ type: "resync", key, object: known, previous: known });
        continue;
      }
      differences += 1;
      this.upsert(object);
    }
    for (const [key, object] of this.#objects) {
      const isInScope = namespace === null || object.metadata.namespace === namespace;
      if (!isInScope || present.has(key)) continue;
      differences += 1;
      this.remove(object);
    }
    return differences;
  }

  #emit(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function isSameVersion(a: KubeObject, b: KubeObject): boolean {
  return a.metadata.uid === b.metadata.uid && a.metadata.resourceVersion === b.metadata.resourceVersion;
}

/** The object without what only takes memory. */
export function stripped(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata as KubeObject["metadata"] & { readonly managedFields?: unknown };
  if (metadata.annotations?.[LAST_APPLIED] === undefined) return { ...object, metadata };
  const { [LAST_APPLIED]: __, ...annotations } = metadata.annotations;
  return { ...object, metadata: { ...metadata, annotations } };
}
