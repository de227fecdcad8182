// Objects of the API as this runtime sees them: metadata it understands, and a spec and status that it does not.

export type ObjectMeta = {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  /** Opaque: compared for equality only. */
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
};

export type KubeObject = {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly spec?: unknown;
  readonly status?: unknown;
};

/** A kind by its address in the API. `group` is "" for the core group. */
export type ResourceKind = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
};

/** `namespace` is "" for objects that are in none. */
export type ObjectName = { readonly namespace: string; readonly name: string };

/** `namespace/name`, the key of queues and caches. */
export type ObjectKey = string;

export function keyOf({ namespace, name }: ObjectName): ObjectKey {
  return `${namespace}/${name}`;
}

export function nameOf({ metadata }: KubeObject): ObjectName {
  return { namespace: metadata.namespace ?? "", name: metadata.name };
}

export function keyOfObject(object: KubeObject): ObjectKey {
  return keyOf(nameOf(object));
}

export function parseKey(key: ObjectKey): ObjectName {
  const slash = key.indexOf("/");
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

export function apiVersionOf({ group, version }: ResourceKind): string {
  return group === "" ? version : `${group}/${version}`;
}

/** The path of a kind's collection: of one namespace, or of all when it is null. */
export function collectionPath(resource: ResourceKind, namespace: string | null): string {
  const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = namespace === null ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${resource.plural}`;
}

export function objectPath(resource: ResourceKind, { namespace, name }: ObjectName): string {
  return `${collectionPath(resource, namespace === "" ? null : namespace)}/${encodeURIComponent(name)}`;
}
