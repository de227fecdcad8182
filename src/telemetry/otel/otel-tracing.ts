// The domain's tracer over OpenTelemetry's SDK. Nothing is registered globally: provider, context and exporter belong to who
// opened them. Every text of an attribute passes the domain's redaction, as lines of the log do.
import { type Context, type Link, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { TracerProvider, type TracerProviderOptions } from "@opentelemetry/sdk-trace";
import { CoregitError } from "../../domain/errors.ts";
import type { Logger } from "../../domain/log.ts";
import { redact } from "../../domain/redact.ts";
import {
  formatTraceparent,
  parseTraceparent,
  type Span,
  type SpanAttributes,
  type SpanOptions,
  type Traceparent,
  type Tracer,
} from "../../domain/tracer.ts";
import type { Tracing, TracingOptions } from "../tracing-options.ts";
import { BoundedExport } from "./bounded-export.ts";
import { samplerOf } from "./sampler.ts";

/** A process that is told to end has about 20 s for everything; spans get the last few of them. */
const LAST_FLUSH_MS = 3_000;
const MAX_ATTRIBUTE_LENGTH = 512;

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
} as const;

export function openOtelTracing(options: TracingOptions, logger: Logger): Tracing {
  const { url, headers, timeoutMs, delayMs } = options;
  const exporter = new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: timeoutMs, keepAlive: false });
  const provider = new TracerProvider({
    sampler: samplerOf(options.sampler),
    resource: resourceOf(options.resource),
    spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE_LENGTH },
    spanProcessors: [new BoundedExport({ exporter, delayMs, timeoutMs: 2 * timeoutMs, logger })],
  });
  const contexts = new AsyncLocalStorageContextManager().enable();
  return {
    tracer: new OtelTracer(provider, contexts),
    async [Symbol.asyncDispose]() {
      await within(LAST_FLUSH_MS, provider.shutdown());
      contexts.disable();
    },
  };
}

class OtelTracer implements Tracer {
  readonly isOn = true;
  readonly #tracer: ReturnType<TracerProvider["getTracer"]>;
  readonly #contexts: AsyncLocalStorageContextManager;

  constructor(provider: TracerProvider, contexts: AsyncLocalStorageContextManager) {
    this.#tracer = provider.getTracer("coregit");
    this.#contexts = contexts;
  }

  async span<T>(name: string, { kind = "internal", attributes = {}, causes }: SpanOptions, work: (span: Span) => Promise<T>) {
    const { parent, links } = this.#origin(causes);
    const span = this.#tracer.startSpan(name, { kind: KINDS[kind], attributes: clean(attributes), links }, parent);
    const port: Span = {
      set: (more) => void span.setAttributes(clean(more)),
      fail: (code) => void span.setStatus({ code: SpanStatusCode.ERROR, message: code }).setAttribute("error.type", code),
    };
    try {
      return await this.#contexts.with(trace.setSpan(parent, span), () => work(port));
    } catch (error) {
      port.fail(error instanceof CoregitError ? error.code : "Internal");
      throw error;
    } finally {
      span.end();
    }
  }

  current() {
    const context = trace.getSpanContext(this.#contexts.active());
    if (context === undefined) return null;
    const { traceId, spanId, traceFlags } = context;
    return { traceId, traceparent: formatTraceparent({ traceId, spanId, isSampled: (traceFlags & TraceFlags.SAMPLED) !== 0 }) };
  }

  #origin(causes: readonly string[] | undefined): { readonly parent: Context; readonly links: Link[] } {
    if (causes === undefined) return { parent: this.#contexts.active(), links: [] };
    const [first, ...others] = [...new Set(causes)].flatMap((text) => parseTraceparent(text) ?? []).map(remoteContext);
    const parent = first === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, first);
    return { parent, links: others.map((context) => ({ context })) };
  }
}

function remoteContext({ traceId, spanId, isSampled }: Traceparent) {
  return { traceId, spanId, traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true };
}

function clean(attributes: SpanAttributes): SpanAttributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, typeof value === "string" ? redact(value) : value]),
  );
}

function resourceOf(attributes: Readonly<Record<string, string>>): NonNullable<TracerProviderOptions["resource"]> {
  const resource: NonNullable<TracerProviderOptions["resource"]> = {
    attributes,
    merge: () => resource,
    getRawAttributes: () => Object.entries(attributes),
  };
  return resource;
}

/** What is not sent by then is given up, and so is what fails. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}
