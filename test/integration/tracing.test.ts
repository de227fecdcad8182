// What a process does about traces: nothing unless it is asked, and nothing that could disturb it when it is.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CoregitError } from "../../src/domain/errors.ts";
import { MAX_WAITING } from "../../src/telemetry/otel/bounded-export.ts";
import { openTracing } from "../../src/telemetry/tracing.ts";
import type { Tracing, TracingOptions } from "../../src/telemetry/tracing-options.ts";
import { freePorts } from "../support/free-ports.ts";
import { createRecordedLogger } from "../support/recorded-logger.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { startTraceCollector } from "../support/trace-collector.ts";

const within = { timeout: 10_000, interval: 20 };
const ROOT = join(import.meta.dirname, "../..");

function optionsFor(url: string, more: Partial<TracingOptions> = {}): TracingOptions {
  const sampler = { kind: "on", ratio: 1, isParentBased: true } as const;
  const resource = { "service.name": "coregit", "service.namespace": "tests" };
  return { url, headers: {}, timeoutMs: 1_000, delayMs: 5, sampler, resource, ...more };
}

const some = ({ tracer }: Tracing, count: number): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, (_, index) => tracer.span(`span ${index}`, { causes: [] }, async () => undefined)));

describe("without an endpoint", () => {
  // The names of its API are: prom-client brings them.
  test("nothing of the SDK is loaded", async () => {
    const script = `
      import { openTelemetry } from "./src/telemetry/open-telemetry.ts";
      import "./src/app.ts";
      import { createRequire } from "node:module";
      const { tracer } = await openTelemetry({ level: "info", format: "json", destination: process.stderr }, null);
      const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) => /@opentelemetry.(?!api.)/.test(path));
      console.log(JSON.stringify({ isOn: tracer.isOn, loaded }));`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], { cwd: ROOT });
    let said = "";
    child.stdout.on("data", (chunk) => {
      said += String(chunk);
    });
    await once(child, "close");
    expect(JSON.parse(said)).toEqual({ isOn: false, loaded: [] });
  });

  test("work is done, without a trace", async () => {
    await using tracing = await openTracing(null, silentLogger);
    expect(await tracing.tracer.span("work", {}, async () => tracing.tracer.current())).toBeNull();
  });
});

describe("spans", () => {
  test("reach the collector with their parents, attributes, failures, headers and resource, without secrets", async () => {
    await using collector = await startTraceCollector();
    const tracing = await openTracing(optionsFor(collector.url, { headers: { "x-team": "git" } }), silentLogger);
    const { tracer } = tracing;
    const refused = tracer.span("outer", { kind: "server", attributes: { "url.path": "/a" } }, () =>
      tracer.span("inner", { kind: "client", attributes: { remote: "https://me:hunter22@git.example/x" } }, async () => {
        throw new CoregitError("AccessDenied", "no");
      }),
    );
    await expect(refused).rejects.toThrow("no");
    await tracing[Symbol.asyncDispose]();
    const [inner, outer] = collector.spans;
    expect(outer).toMatchObject({
      name: "outer",
      kind: 2,
      parentSpanId: "",
      failure: "AccessDenied",
      attributes: { "url.path": "/a" },
    });
    expect(inner).toMatchObject({ name: "inner", kind: 3, traceId: outer?.traceId, parentSpanId: outer?.spanId });
    expect(inner?.attributes).toMatchObject({ "error.type": "AccessDenied", remote: "https://[redacted]@git.example/x" });
    expect(collector.resource).toEqual({ "service.name": "coregit", "service.namespace": "tests" });
    expect(collector.requests[0]?.headers).toMatchObject({ "content-type": "application/json", "x-team": "git" });
  });

  test("that nobody wants are not sent, and say so to what they cause", async () => {
    await using collector = await startTraceCollector();
    const sampler = { kind: "off", ratio: 1, isParentBased: true } as const;
    const tracing = await openTracing(optionsFor(collector.url, { sampler }), silentLogger);
    const context = await tracing.tracer.span("dropped", {}, async () => tracing.tracer.current());
    expect(context?.traceparent).toMatch(/-00$/);
    const wanted = `00-${context?.traceId}-b7ad6b7169203331-01`;
    await tracing.tracer.span("wanted by its cause", { causes: [wanted] }, async () => undefined);
    await tracing[Symbol.asyncDispose]();
    expect(collector.spans.map(({ name, traceId }) => [name, traceId])).toEqual([["wanted by its cause", context?.traceId]]);
  });

  test("that are left at the end are sent then", async () => {
    await using collector = await startTraceCollector();
    const tracing = await openTracing(optionsFor(collector.url, { delayMs: 60_000 }), silentLogger);
    await some(tracing, 1_000);
    expect(collector.spans).toEqual([]);
    await tracing[Symbol.asyncDispose]();
    expect(collector.spans).toHaveLength(1_000);
  });
});

describe("a collector", () => {
  test("that is away costs spans and one line, and so does its return", async () => {
    await using collector = await startTraceCollector();
    collector.answerWith(400);
    const logger = createRecordedLogger();
    const tracing = await openTracing(optionsFor(collector.url), logger);
    for (let round = 1; round <= 3; round += 1) {
      await some(tracing, 1);
      await expect.poll(() => collector.requests.length, within).toBe(round);
    }
    collector.answerWith(200);
    await some(tracing, 1);
    await expect.poll(() => logger.lines.length, within).toBe(2);
    await tracing[Symbol.asyncDispose]();
    expect(logger.lines).toMatchObject([
      { level: "warn", message: expect.stringContaining("dropped until it takes them") },
      { level: "info", fields: { lost: 3 }, message: "The collector takes spans again." },
    ]);
  });

  test("that cannot be reached delays no work, no memory grows for it, and the end comes in seconds", async () => {
    const [port] = await freePorts(1);
    const logger = createRecordedLogger();
    const tracing = await openTracing(optionsFor(`http://127.0.0.1:${port}/v1/traces`, { delayMs: 60_000 }), logger);
    await some(tracing, 2 * MAX_WAITING);
    const startedMs = performance.now();
    await tracing[Symbol.asyncDispose]();
    expect(performance.now() - startedMs).toBeLessThan(6_000);
    expect(logger.lines).toHaveLength(1);
    expect(logger.lines[0]).toMatchObject({ level: "warn" });
  });
});
