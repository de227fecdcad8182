// Keeps a store equal to the cluster, whatever happens: list, then watch from there, and again after every failure.
// States: listing → watching → (ended by the server: watching) | (410 or refused: waiting, listing) | (any other failure:
// waiting, watching from the last version seen). A fresh list comes every ten minutes even when all seems well, because
// watches have been seen to lose events silently.
import type { Clock, Random } from "../domain/clock.ts";
import type { Logger } from "../domain/log.ts";
import { type Heartbeat, unwatched } from "../domain/progress.ts";
import { KubeApiError, statusError } from "./api-error.ts";
import { Backoff } from "./backoff.ts";
import type { KubeApi } from "./kube-api.ts";
import type { KubeObject, ResourceKind } from "./object.ts";
import { type ObjectStore, stripped } from "./object-store.ts";
import type { RuntimeMetrics } from "./runtime-metrics.ts";
import { SaidOnce } from "./said-once.ts";
import { pause, type Timers } from "./timers.ts";
import { noAnswer } from "./transport.ts";
import type { WatchEvent } from "./watch-events.ts";

export type ReflectorTiming = {
  /**
   * Waits between attempts: from 0.8 s on and forgotten after two healthy minutes, as in client-go, but up to 20 s instead of 30: what
   * takes a third attempt, a watch that ends at once and a refusal after it for example, is over within a minute all the same.
   */
  readonly backoffFirstMs: number;
  readonly backoffLongestMs: number;
  readonly backoffResetMs: number;
  /** A watch without a byte for this long is dead. Servers send a bookmark each minute. */
  readonly silenceMs: number;
  readonly relistMs: number;
  /** The server ends each watch after a time between these two, so that all clients do not reconnect at once. */
  readonly watchShortestMs: number;
  readonly watchLongestMs: number;
  /** A watch that ended sooner than this without any event is a failure. */
  readonly watchMinimumMs: number;
};

export const REFLECTOR_TIMING: ReflectorTiming = {
  backoffFirstMs: 800,
  backoffLongestMs: 20_000,
  backoffResetMs: 120_000,
  silenceMs: 150_000,
  relistMs: 600_000,
  watchShortestMs: 300_000,
  watchLongestMs: 600_000,
  watchMinimumMs: 1000,
};

export type ReflectorOptions = {
  readonly api: KubeApi;
  readonly resource: ResourceKind;
  /** null: all namespaces. */
  readonly namespace: string | null;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: RuntimeMetrics;
  readonly timing?: Partial<ReflectorTiming>;
  /** Told of each step, also of those that fail: a server that is away is no reason to end this process. */
  readonly heartbeat?: Heartbeat;
};

export class Reflector implements AsyncDisposable {
  readonly #options: ReflectorOptions;
  readonly #timing: ReflectorTiming;
  readonly #backoff: Backoff;
  readonly #heartbeat: Heartbeat;
  readonly #stop = new AbortController();
  readonly #said: SaidOnce;
  readonly #synced = Promise.withResolvers<void>();
  #running: Promise<void> | null = null;
  #version: string | null = null;
  #listedAtMs = 0;
  #contactAtMs: number;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#timing = { ...REFLECTOR_TIMING, ...options.timing };
    const { backoffFirstMs: firstMs, backoffLongestMs: longestMs, backoffResetMs: resetAfterMs } = this.#timing;
    this.#backoff = new Backoff({ firstMs, longestMs, resetAfterMs }, options.clock, options.random);
    this.#contactAtMs = options.clock.monotonic();
    this.#heartbeat = options.heartbeat ?? unwatched;
    this.#said = new SaidOnce(options.clock);
  }

  /** Starts the loop; a second call does nothing. */
  start(): void {
    this.#running ??= this.#loop(this.#stop.signal);
  }

  /** Resolves when the store holds a first complete list. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** Time since the server last sent anything: grows when the loop is stuck or the server away. */
  get contactAgeMs(): number {
    return this.#options.clock.monotonic() - this.#contactAtMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#heartbeat.beat();
      try {
        const version = this.#version ?? (await this.#list(signal));
        await this.#watch(version, signal);
        if (this.#options.clock.monotonic() - this.#listedAtMs >= this.#timing.relistMs) this.#version = null;
      } catch (error) {
        if (!signal.aborted) await this.#recover(error, signal);
      }
    }
    this.#heartbeat[Symbol.dispose]();
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { metrics, resource, timers } = this.#options;
    const failure = noAnswer(error, signal);
    if (mustRelist(failure)) this.#version = null;
    const waitMs = Math.max(this.#backoff.nextMs(), failure.retryAfterMs ?? 0);
    metrics.watchFailed(resource.plural, failure.reason);
    this.#tell(failure, waitMs);
    this.#heartbeat.rest(waitMs);
    await pause(timers, waitMs, signal);
  }

  /** What waits for a person is said: a right that is missing, or CRDs. Everything else passes by itself. */
  #tell({ status, reason, message }: KubeApiError, waitMs: number): void {
    const { logger, resource, namespace } = this.#options;
    const fields = { resource: resource.plural, namespace, status, reason, waitMs };
    const sentence = status === null ? undefined : REFUSALS.get(status);
    const isNews = sentence !== undefined && this.#said.isNews(resource.plural, reason);
    if (isNews) logger.warn({ ...fields, message }, sentence);
    else logger.debug(fields, "Watch interrupted.");
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { api, resource, namespace, store, clock, metrics } = this.#options;
    const objects: KubeObject[] = [];
    const keepPage = (items: readonly KubeObject[]): void => {
      this.#contact();
      for (const item of items) objects.push(stripped(item));
    };
    const isFirst = this.#listedAtMs === 0;
    const version = await api.list(resource, namespace, keepPage, { signal });
    const differences = store.replace(namespace, objects);
    if (!isFirst && differences > 0) metrics.missedEvents(resource.plural, differences);
    this.#listedAtMs = clock.monotonic();
    this.#version = version;
    this.#said.forget(resource.plural);
    this.#synced.resolve();
    return version;
  }

  async #watch(version: string, signal: AbortSignal): Promise<void> {
    const { api, resource, namespace, clock } = this.#options;
    using silence = new SilenceAlarm(this.#options.timers, this.#timing.silenceMs);
    const startedAtMs = clock.monotonic();
    let events = 0;
    const stream = api.watch(resource, {
      namespace,
      resourceVersion: version,
      timeoutSeconds: this.#watchSeconds(startedAtMs),
      signal: AbortSignal.any([signal, silence.signal]),
      onBytes: () => {
        silence.reset();
        this.#contact();
      },
    });
    try {
      for await (const event of stream) {
        events += 1;
        this.#apply(event);
      }
    } catch (error) {
      throw noAnswer(error, AbortSignal.any([signal, silence.signal]));
    }
    if (events > 0 || signal.aborted || clock.monotonic() - startedAtMs >= this.#timing.watchMinimumMs) return;
    throw new KubeApiError({ status: null, reason: "Truncated", message: "the server ended the watch at once" });
  }

  #apply(event: WatchEvent): void {
    if (event.type === "ERROR") throw statusError(event.object);
    if (event.type === "DELETED") this.#options.store.remove(event.object);
    else if (event.type !== "BOOKMARK") this.#options.store.upsert(event.object);
    this.#version = event.object.metadata.resourceVersion;
  }

  /** Until the next list is due, at most. */
  #watchSeconds(nowMs: number): number {
    const { watchShortestMs, watchLongestMs, relistMs } = this.#timing;
    const spreadMs = watchShortestMs + this.#options.random() * (watchLongestMs - watchShortestMs);
    const untilListMs = this.#listedAtMs + relistMs - nowMs;
    return Math.max(1, Math.ceil(Math.min(spreadMs, untilListMs) / 1000));
  }

  #contact(): void {
    this.#contactAtMs = this.#options.clock.monotonic();
    this.#heartbeat.beat();
  }
}

const REFUSALS: ReadonlyMap<number, string> = new Map([
  [401, "The API server does not know this program's token."],
  [403, "This program may not list and watch a kind that it needs."],
  [404, "The API server does not have a kind that this program needs: its CRDs have to be installed."],
]);

/** 410 says that the version is too old; other refusals may be about it too. Busy servers are asked again for the same. */
function mustRelist({ status }: KubeApiError): boolean {
  return status !== null && status >= 400 && status < 500 && status !== 429;
}

/** Aborts when nothing has been heard for a time. */
class SilenceAlarm implements Disposable {
  readonly #abort = new AbortController();
  readonly #timers: Timers;
  readonly #afterMs: number;
  #timer: Disposable;

  constructor(timers: Timers, afterMs: number) {
    this.#timers = timers;
    this.#afterMs = afterMs;
    this.#timer = this.#arm();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  reset(): void {
    this.#timer[Symbol.dispose]();
    this.#timer = this.#arm();
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  #arm(): Disposable {
    return this.#timers.after(this.#afterMs, () =>
      this.#abort.abort(new KubeApiError({ status: null, reason: "Silent", message: "the watch fell silent" })),
    );
  }
}
