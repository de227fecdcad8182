// What a span of a request to a provider says of it: where it went and how it was answered, never what it carried.
import type { Provider } from "../domain/sync-spec.ts";
import type { Span, SpanOptions } from "../domain/tracer.ts";

/** `lane`: what the provider counts apart, as metrics have it. */
export function callSpan(request: { readonly method: string; readonly url: URL }, provider: Provider, lane: string): SpanOptions {
  const attributes = {
    "http.request.method": request.method,
    "server.address": request.url.hostname,
    "url.path": request.url.pathname,
    "coregit.provider": provider,
    "coregit.lane": lane,
  };
  return { kind: "client", attributes };
}

export function noteStatus(span: Span, status: number): void {
  span.set({ "http.response.status_code": status });
  if (status >= 400) span.fail(String(status));
}
