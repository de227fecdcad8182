// Between spans and the collector: so many wait and no more, and what happens to them disturbs nobody. That the collector
// does not take them is said once, and once more when it does again, with how many were lost meanwhile.
import type { ReadableSpan, Span, SpanExporter, SpanProcessor } from "@opentelemetry/sdk-trace";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import type { Logger } from "../../domain/log.ts";

/** About 4 MB of spans. */
export const MAX_WAITING = 4_096;
const MAX_BATCH = 512;
const SAMPLED = 1;

export type BoundedExportOptions = {
  readonly exporter: SpanExporter;
  readonly delayMs: number;
  /** Of one batch, its repetitions included. */
  readonly timeoutMs: number;
  readonly logger: Logger;
};

type Report = Parameters<SpanExporter["export"]>[1];

export class BoundedExport implements SpanProcessor {
  readonly #batches: BatchSpanProcessor;
  readonly #logger: Logger;
  #waiting = 0;
  #lost = 0;
  #isFailing = false;

  constructor({ exporter, delayMs, timeoutMs, logger }: BoundedExportOptions) {
    this.#logger = logger;
    this.#batches = new BatchSpanProcessor({
      exporter: {
        export: (spans, report) => exporter.export(spans, this.#watched(spans.length, report)),
        shutdown: () => exporter.shutdown(),
      },
      maxQueueSize: MAX_WAITING,
      maxExportBatchSize: MAX_BATCH,
      scheduledDelayMillis: delayMs,
      exportTimeoutMillis: timeoutMs,
    });
  }

  onStart(span: Span, context: Parameters<SpanProcessor["onStart"]>[1]): void {
    this.#batches.onStart(span, context);
  }

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & SAMPLED) === 0) return;
    if (this.#waiting >= MAX_WAITING) {
      this.#lose(1);
      return;
    }
    this.#waiting += 1;
    this.#batches.onEnd(span);
  }

  async forceFlush(): Promise<void> {
    await this.#batches.forceFlush();
  }

  async shutdown(): Promise<void> {
    await this.#batches.shutdown();
  }

  #watched(count: number, report: Report): Report {
    return (result) => {
      this.#waiting -= count;
      if (result.error !== undefined || result.code !== 0) this.#lose(count, result.error);
      else if (this.#isFailing) this.#recover();
      // What failed has been told; the library would print it as well.
      report({ code: 0 });
    };
  }

  #lose(count: number, error?: Error): void {
    this.#lost += count;
    if (this.#isFailing) return;
    this.#isFailing = true;
    const reason = error?.message ?? "too many spans wait for it";
    this.#logger.warn({ reason, lost: this.#lost }, "Spans cannot be sent to the collector and are dropped until it takes them.");
  }

  #recover(): void {
    this.#logger.info({ lost: this.#lost }, "The collector takes spans again.");
    this.#isFailing = false;
    this.#lost = 0;
  }
}
