// Traces as a port: what code says of the work that it does, for whoever follows one cause through processes. Spans hold by
// the async context of who calls; only what crosses a process carries its cause along, as a W3C `traceparent`.

/** No secret, no query of a URL, no user's text beyond names: they leave the process. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export type SpanOptions = {
  /** Default `internal`. */
  readonly kind?: "internal" | "server" | "client" | "consumer";
  readonly attributes?: SpanAttributes;
  /**
   * What brought this about, as traceparents: the first is the parent, the others are linked; those that are none are passed over.
   * Empty: a trace of its own. Absent: the parent is the span in whose work this is called.
   */
  readonly causes?: readonly string[];
};

export interface Span {
  set(attributes: SpanAttributes): void;
  /** It did not do what it was to do; `code` says why. */
  fail(code: string): void;
}

export type TraceContext = {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  readonly traceparent: string;
};

export interface Tracer {
  /** False: nothing is recorded, and attributes that cost something need not be made. */
  readonly isOn: boolean;
  /** `work` inside a span, which ends with it. What it throws passes on and fails the span by its code. */
  span<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T>;
  /** The span in whose work this is called; null: none. */
  current(): TraceContext | null;
}

const noSpan: Span = { set: () => undefined, fail: () => undefined };

export const noTracer: Tracer = { isOn: false, span: (_name, _options, work) => work(noSpan), current: () => null };

export type Traceparent = { readonly traceId: string; readonly spanId: string; readonly isSampled: boolean };

/** https://www.w3.org/TR/trace-context/#traceparent-header: a later version may have more behind the flags. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 0x01;

/** Null: it is none. */
export function parseTraceparent(text: string): Traceparent | null {
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  if (version === "00" && more !== undefined) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

export function formatTraceparent({ traceId, spanId, isSampled }: Traceparent): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}
