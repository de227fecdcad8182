// What there is to know of traces before anything of OpenTelemetry is loaded.
import type { Tracer } from "../domain/tracer.ts";

export type TracingOptions = {
  /** Takes OTLP over HTTP as JSON. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** One request to the collector. */
  readonly timeoutMs: number;
  readonly sampler: { readonly kind: "on" | "off" | "ratio"; readonly ratio: number; readonly isParentBased: boolean };
  /** Who this is, `service.name` among it. */
  readonly resource: Readonly<Record<string, string>>;
  /** How long spans wait for company. */
  readonly delayMs: number;
};

/** Disposal sends what is left, within a few seconds, and never throws. */
export type Tracing = AsyncDisposable & { readonly tracer: Tracer };
