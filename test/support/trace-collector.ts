// An OpenTelemetry collector on loopback: takes OTLP over HTTP as JSON and keeps what it was sent, as spans by name.
import { createServer } from "node:http";
import { keepSaid, keepsEvidence } from "./secrets/evidence.ts";

export type CollectedSpan = {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it began the trace. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly failure: string | null;
};

export interface TraceCollector extends AsyncDisposable {
  /** For spans. */
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** `service.name` and the like of the last request. */
  readonly resource: Readonly<Record<string, unknown>>;
  /** Bodies as they came, and headers. */
  readonly requests: readonly { readonly text: string; readonly headers: Readonly<Record<string, unknown>> }[];
  /** What each request is answered from now on. */
  answerWith(status: number): void;
}

type Pairs = readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
type Body = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Pairs };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
};
type WireSpan = Omit<CollectedSpan, "attributes" | "failure"> & {
  readonly attributes: Pairs;
  readonly status?: { readonly code?: number; readonly message?: string };
};

const ERROR = 2;

export async function startTraceCollector(): Promise<TraceCollector> {
  const spans: CollectedSpan[] = [];
  const requests: { text: string; headers: Readonly<Record<string, unknown>> }[] = [];
  let resource: Readonly<Record<string, unknown>> = {};
  let status = 200;
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString("utf8");
    requests.push({ text, headers: request.headers });
    if (status === 200) {
      for (const part of (JSON.parse(text) as Body).resourceSpans) {
        resource = recordOf(part.resource.attributes);
        spans.push(...part.scopeSpans.flatMap((scope) => scope.spans.map(toSpan)));
      }
    }
    response.writeHead(status, { "content-type": "application/json" }).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/v1/traces`,
    spans,
    requests,
    get resource() {
      return resource;
    },
    answerWith(next) {
      status = next;
    },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
      if (keepsEvidence()) for (const { text } of requests) keepSaid("the spans that a collector was sent", text);
    },
  };
}

function toSpan({ attributes, status, links = [], parentSpanId = "", ...span }: WireSpan): CollectedSpan {
  const { traceId, spanId, name, kind } = span;
  const failure = status?.code === ERROR ? (status.message ?? "") : null;
  return { traceId, spanId, parentSpanId, name, kind, links, failure, attributes: recordOf(attributes) };
}

function recordOf(pairs: Pairs): Readonly<Record<string, unknown>> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]));
}
