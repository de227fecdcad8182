// The calls that this runtime makes, for any kind. Each has a deadline and throws KubeApiError. Writes name one field
// manager, so that the server's field ownership stays readable.
import { hasStatus, KubeApiError } from "./api-error.ts";
import {
  apiVersionOf,
  collectionPath,
  type KubeObject,
  nameOf,
  type ObjectName,
  objectPath,
  type ResourceKind,
} from "./object.ts";
import type { KubeTransport } from "./transport.ts";
import { decodeWatch, type WatchEvent } from "./watch-events.ts";

/** Objects of one page of a list: what client-go asks for too. */
const PAGE_LIMIT = 500;
const MERGE_PATCH = "application/merge-patch+json";

export type WatchOptions = {
  readonly namespace: string | null;
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  /** Runs for each piece that arrives: the connection is alive. */
  readonly onBytes: () => void;
};

type CallOptions = { readonly signal?: AbortSignal; readonly timeoutMs?: number };

export class KubeApi {
  readonly #transport: KubeTransport;
  readonly #fieldManager: string;

  constructor(transport: KubeTransport, fieldManager: string) {
    this.#transport = transport;
    this.#fieldManager = fieldManager;
  }

  /** null when there is no such object. */
  async get(resource: ResourceKind, name: ObjectName, options: CallOptions = {}): Promise<KubeObject | null> {
    try {
      return asObject(await this.#transport.call({ method: "GET", path: objectPath(resource, name), ...options }));
    } catch (error) {
      if (hasStatus(error, 404)) return null;
      throw error;
    }
  }

  /** Every object, page by page, and the version to watch from. */
  async list(
    resource: ResourceKind,
    namespace: string | null,
    onPage: (items: readonly KubeObject[]) => void,
    options: CallOptions = {},
  ): Promise<string> {
    let token = "";
    for (;;) {
      const query = { limit: String(PAGE_LIMIT), ...(token === "" ? {} : { continue: token }) };
      const page = asPage(
        await this.#transport.call({ method: "GET", path: collectionPath(resource, namespace), query, ...options }),
      );
      onPage(page.items);
      if (page.continueToken === "") return page.resourceVersion;
      token = page.continueToken;
    }
  }

  /** Changes after `resourceVersion`, bookmarks included, until the server ends the watch or the signal aborts it. */
  async *watch(resource: ResourceKind, options: WatchOptions): AsyncGenerator<WatchEvent> {
    const query = {
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: options.resourceVersion,
      timeoutSeconds: String(options.timeoutSeconds),
    };
    const path = collectionPath(resource, options.namespace);
    const body = await this.#transport.stream({ method: "GET", path, query }, options.signal);
    yield* decodeWatch(body, options.onBytes);
  }

  /** Merge patch of metadata, refused (409) when `object` has moved on since it was read. */
  patchMetadata(
    resource: ResourceKind,
    object: KubeObject,
    metadata: Readonly<Record<string, unknown>>,
    options: CallOptions = {},
  ): Promise<KubeObject> {
    const { resourceVersion } = object.metadata;
    const body = { metadata: { ...metadata, resourceVersion } };
    return this.#write("PATCH", objectPath(resource, nameOf(object)), body, { ...options, contentType: MERGE_PATCH });
  }

  /** Merge patch of the status subresource, refused (409) when `object` has moved on since it was read. */
  patchStatus(resource: ResourceKind, object: KubeObject, status: unknown, options: CallOptions = {}): Promise<KubeObject> {
    const { resourceVersion } = object.metadata;
    const body = { metadata: { resourceVersion }, status };
    return this.#write("PATCH", `${objectPath(resource, nameOf(object))}/status`, body, { ...options, contentType: MERGE_PATCH });
  }

  /** Merge patch of any part of an object without a status subresource, for example an Event's series. */
  patch(resource: ResourceKind, name: ObjectName, body: unknown, options: CallOptions = {}): Promise<KubeObject> {
    return this.#write("PATCH", objectPath(resource, name), body, { ...options, contentType: MERGE_PATCH });
  }

  create(resource: ResourceKind, namespace: string, body: object, options: CallOptions = {}): Promise<KubeObject> {
    const identified = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...body };
    return this.#write("POST", collectionPath(resource, namespace), identified, options);
  }

  /** Replaces the whole object; the server refuses (409) when its resourceVersion has moved on. */
  replace(resource: ResourceKind, object: KubeObject, options: CallOptions = {}): Promise<KubeObject> {
    return this.#write("PUT", objectPath(resource, nameOf(object)), object, options);
  }

  /** Asks for deletion; an object that is gone is fine. */
  async delete(resource: ResourceKind, name: ObjectName, options: CallOptions = {}): Promise<void> {
    try {
      await this.#transport.call({ method: "DELETE", path: objectPath(resource, name), ...options });
    } catch (error) {
      if (!hasStatus(error, 404)) throw error;
    }
  }

  async #write(
    method: "POST" | "PUT" | "PATCH",
    path: string,
    body: unknown,
    options: CallOptions & { readonly contentType?: string },
  ): Promise<KubeObject> {
    return asObject(await this.#transport.call({ method, path, query: { fieldManager: this.#fieldManager }, body, ...options }));
  }
}

function asObject(value: unknown): KubeObject {
  if (hasMetadata(value)) return value as KubeObject;
  throw new KubeApiError({ status: null, reason: "Malformed", message: "the API server answered something that is no object" });
}

type Page = { readonly items: readonly KubeObject[]; readonly resourceVersion: string; readonly continueToken: string };

function asPage(value: unknown): Page {
  if (!hasMetadata(value) || !("items" in value) || !Array.isArray(value.items)) {
    throw new KubeApiError({ status: null, reason: "Malformed", message: "the API server answered something that is no list" });
  }
  const metadata = value.metadata as { readonly resourceVersion?: string; readonly continue?: string };
  return {
    items: value.items as KubeObject[],
    resourceVersion: metadata.resourceVersion ?? "",
    continueToken: metadata.continue ?? "",
  };
}

function hasMetadata(value: unknown): value is { readonly metadata: unknown } {
  return (
    typeof value === "object" &&
    value !== null &&
    "metadata" in value &&
    typeof value.metadata === "object" &&
    value.metadata !== null
  );
}
