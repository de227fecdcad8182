// Traces of this process, or none. The SDK of OpenTelemetry is loaded by whoever asks for traces and by nobody else: without
// an endpoint it costs neither start time nor memory.
import type { Logger } from "../domain/log.ts";
import { noTracer } from "../domain/tracer.ts";
import type { Tracing, TracingOptions } from "./tracing-options.ts";

const NONE: Tracing = { tracer: noTracer, [Symbol.asyncDispose]: async () => undefined };

/** `options` null: no traces. */
export async function openTracing(options: TracingOptions | null, logger: Logger): Promise<Tracing> {
  if (options === null) return NONE;
  const { openOtelTracing } = await import("./otel/otel-tracing.ts");
  return openOtelTracing(options, logger);
}
