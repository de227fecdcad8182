// The log and the traces of one process: lines name the trace in whose work they are written.
import type { Logger } from "../domain/log.ts";
import type { Tracer } from "../domain/tracer.ts";
import { createLogger, type LogOptions } from "./log.ts";
import { openTracing } from "./tracing.ts";
import type { TracingOptions } from "./tracing-options.ts";

/** Disposal sends the spans that are left, so it comes last. */
export type Telemetry = AsyncDisposable & { readonly logger: Logger; readonly tracer: Tracer };

/** `tracing` null: no traces. */
export async function openTelemetry(log: LogOptions, tracing: TracingOptions | null): Promise<Telemetry> {
  const plain = createLogger(log);
  const { tracer, [Symbol.asyncDispose]: dispose } = await openTracing(tracing, plain);
  const traceId = (): string | null => tracer.current()?.traceId ?? null;
  return { logger: tracer.isOn ? createLogger({ ...log, traceId }) : plain, tracer, [Symbol.asyncDispose]: dispose };
}
