// Events for people who watch an object. Advisory: recording never fails and never blocks a reconcile; a repeated Event is
// counted on the first one instead of being made anew.
import { randomBytes } from "node:crypto";
import type { Clock } from "../domain/clock.ts";
import type { Logger } from "../domain/log.ts";
import { hasStatus } from "./api-error.ts";
import type { KubeApi } from "./kube-api.ts";
import { apiVersionOf, type KubeObject, type ObjectName, type ResourceKind } from "./object.ts";
import { SaidOnce } from "./said-once.ts";

export const EVENTS: ResourceKind = { group: "events.k8s.io", version: "v1", plural: "events", kind: "Event" };

export type EventNote = {
  readonly type: "Normal" | "Warning";
  /** Short CamelCase, one per category. */
  readonly reason: string;
  /** What was done or tried, CamelCase. */
  readonly action: string;
  readonly message: string;
};

export type EventRecorderOptions = {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For example `coregit.dev/operator`. */
  readonly controller: string;
  /** This process, for example the pod's name. */
  readonly instance: string;
};

/** The API's limit on `note`, which it counts in bytes. */
const NOTE_MAX_BYTES = 1024;
/** How long a repeat counts as one: client-go's correlator forgets after ten minutes too. */
const SERIES_MS = 10 * 60_000;
/** A series is written at most this often; repeats in between are only counted. */
const SERIES_WRITE_MS = 60_000;
const REMEMBERED = 1000;
const WRITE_TIMEOUT_MS = 10_000;

type Series = { readonly name: ObjectName; readonly startedAtMs: number; count: number; writtenAtMs: number };

export class EventRecorder implements AsyncDisposable {
  readonly #options: EventRecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #writes = new Set<Promise<void>>();
  readonly #said: SaidOnce;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#said = new SaidOnce(options.clock);
  }

  record(resource: ResourceKind, object: KubeObject, note: EventNote): void {
    const now = this.#options.clock.monotonic();
    const key = [object.metadata.uid, note.type, note.reason, note.message].join("\n");
    const known = this.#series.get(key);
    if (known === undefined || now - known.startedAtMs > SERIES_MS) {
      const name = eventName(object);
      this.#remember(key, { name, startedAtMs: now, count: 1, writtenAtMs: now });
      this.#write(() => this.#create(name, resource, object, note));
      return;
    }
    known.count += 1;
    if (known.count > 2 && now - known.writtenAtMs < SERIES_WRITE_MS) return;
    known.writtenAtMs = now;
    const series = { count: known.count, lastObservedTime: this.#microTime() };
    this.#write(() => this.#options.api.patch(EVENTS, known.name, { series }, { timeoutMs: WRITE_TIMEOUT_MS }));
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await Promise.all(this.#writes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.settled();
  }

  #create(name: ObjectName, resource: ResourceKind, object: KubeObject, note: EventNote): Promise<unknown> {
    const { controller, instance, api } = this.#options;
    const regarding = {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      namespace: name.namespace,
      name: object.metadata.name,
      uid: object.metadata.uid,
      resourceVersion: object.metadata.resourceVersion,
    };
    const body = {
      metadata: name,
      eventTime: this.#microTime(),
      reportingController: controller,
      reportingInstance: instance.slice(0, 128),
      type: note.type,
      reason: note.reason,
      action: note.action,
      note: fitNote(note.message),
      regarding,
    };
    return api.create(EVENTS, name.namespace, body, { timeoutMs: WRITE_TIMEOUT_MS });
  }

  #write(work: () => Promise<unknown>): void {
    const write = work().then(
      () => undefined,
      (error: unknown) => {
        const isRefused = hasStatus(error, 403) && this.#said.isNews("refused", "");
        this.#options.logger[isRefused ? "warn" : "debug"]({ error }, "An Event could not be written.");
      },
    );
    this.#writes.add(write);
    void write.then(() => this.#writes.delete(write));
  }

  #remember(key: string, series: Series): void {
    this.#series.delete(key);
    this.#series.set(key, series);
    const [oldest] = this.#series.keys();
    if (this.#series.size > REMEMBERED && oldest !== undefined) this.#series.delete(oldest);
  }

  #microTime(): string {
    return new Date(this.#options.clock.now()).toISOString().replace("Z", "000Z");
  }
}

/** As much of it as fits, in whole characters. */
function fitNote(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= NOTE_MAX_BYTES) return message;
  return bytes
    .subarray(0, NOTE_MAX_BYTES)
    .toString("utf8")
    .replace(/\uFFFD+$/, "");
}

function eventName(object: KubeObject): ObjectName {
  const suffix = randomBytes(8).toString("hex");
  return { namespace: object.metadata.namespace ?? "default", name: `${object.metadata.name.slice(0, 200)}.${suffix}` };
}
