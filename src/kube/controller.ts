// Takes keys from a queue and reconciles them, a few at a time, until disposed. What a reconcile throws is a failed attempt
// and is repeated with back-off; nothing that it does can end the loop.
import { randomUUID } from "node:crypto";
import type { Clock } from "../domain/clock.ts";
import type { Logger } from "../domain/log.ts";
import { noTracer, type Span, type Tracer } from "../domain/tracer.ts";
import { hasStatus, KubeApiError } from "./api-error.ts";
import { Deadline } from "./deadline.ts";
import { type ObjectKey, parseKey } from "./object.ts";
import type { RuntimeMetrics } from "./runtime-metrics.ts";
import { SaidOnce } from "./said-once.ts";
import { systemTimers, type Timers } from "./timers.ts";
import type { QueueItem, WorkQueue } from "./work-queue.ts";

export type Outcome = {
  /** Look at the key again after this time, although nothing changed. */
  readonly requeueAfterMs?: number;
};

/** Makes the world equal to what the key's object declares. Idempotent; must end soon after `signal` aborts. */
export type Reconcile = (key: ObjectKey, signal: AbortSignal) => Promise<Outcome>;

export type ControllerOptions = {
  readonly name: string;
  readonly queue: WorkQueue;
  readonly reconcile: Reconcile;
  readonly concurrency: number;
  readonly deadlineMs: number;
  readonly timers?: Timers;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: RuntimeMetrics;
  /** Default: no traces. */
  readonly tracer?: Tracer;
};

type About = { readonly controller: string; readonly namespace: string; readonly name: string; readonly reconcileID: string };

export class Controller implements AsyncDisposable {
  readonly #options: ControllerOptions;
  readonly #stop = new AbortController();
  readonly #said: SaidOnce;
  #workers: Promise<void>[] = [];

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#said = new SaidOnce(options.clock);
  }

  start(): void {
    if (this.#workers.length > 0) return;
    this.#workers = Array.from({ length: this.#options.concurrency }, () => this.#work());
  }

  /** Takes no more keys, tells running reconciles to end and waits for them. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { name, queue, metrics } = this.#options;
    queue[Symbol.dispose]();
    metrics.emptied(name);
    this.#stop.abort();
    await Promise.all(this.#workers);
  }

  async #work(): Promise<void> {
    const { queue } = this.#options;
    for (let item = await queue.take(); item !== null; item = await queue.take()) {
      await this.#attempt(item);
      queue.done(item.key);
    }
  }

  /** One reconcile, by the fields that controller-runtime names it by, in the log as in traces. */
  async #attempt(item: QueueItem): Promise<void> {
    const { name: controller, tracer = noTracer } = this.#options;
    const about = { controller, ...parseKey(item.key), reconcileID: randomUUID() };
    await tracer.span(`reconcile ${controller}`, { causes: [], attributes: about }, (span) => this.#reconcile(item, about, span));
  }

  async #reconcile(item: QueueItem, about: About, span: Span): Promise<void> {
    const { key, waitedMs } = item;
    const { name, queue, reconcile, deadlineMs, timers = systemTimers, clock, metrics } = this.#options;
    metrics.taken(name, waitedMs, queue.depth);
    const startedAtMs = clock.monotonic();
    using deadline = new Deadline(timers, deadlineMs, [this.#stop.signal]);
    try {
      const outcome = await reconcile(key, deadline.signal);
      queue.forget(key);
      this.#said.forget(key);
      if (outcome.requeueAfterMs !== undefined) queue.addAfter(key, outcome.requeueAfterMs);
      const result = outcome.requeueAfterMs === undefined ? "success" : "requeue_after";
      metrics.reconciled(name, result, clock.monotonic() - startedAtMs, deadline.hasPassed);
    } catch (error) {
      metrics.reconciled(name, "error", clock.monotonic() - startedAtMs, deadline.hasPassed);
      span.fail(error instanceof KubeApiError ? String(error.status ?? error.reason) : "error");
      this.#retry(item, about, error);
    }
  }

  #retry(item: QueueItem, about: About, error: unknown): void {
    const { name, queue, logger, metrics } = this.#options;
    if (this.#stop.signal.aborted) return;
    const minimumMs = error instanceof KubeApiError ? (error.retryAfterMs ?? 0) : 0;
    const waitMs = Math.round(queue.retry(item, minimumMs));
    metrics.retried(name);
    const [subject, text] = subjectOf(item.key, error);
    const level = this.#said.isNews(subject, text) ? "warn" : "debug";
    logger[level]({ ...about, waitMs, error }, "Reconcile failed and is repeated.");
  }
}

/** What is said once: a right that is missing for all objects of a kind, else what is wrong with this one. */
function subjectOf(key: ObjectKey, error: unknown): [subject: string, text: string] {
  const text = error instanceof Error ? error.message : String(error);
  if (!hasStatus(error, 403)) return [key, text];
  return [text.replaceAll(`"${parseKey(key).name}"`, ""), ""];
}
