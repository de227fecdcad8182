// The program as it is run, with an address of its own for metrics and a collector for traces.
import { expect, test } from "vitest";
import { startApiProgram } from "../support/api-program.ts";
import { freePorts } from "../support/free-ports.ts";
import { startTraceCollector } from "../support/trace-collector.ts";

test("serves metrics where it is told, and not beside the API, and its last spans leave before it ends", async () => {
  await using collector = await startTraceCollector();
  const [port] = await freePorts(1);
  const program = await startApiProgram({
    COREGIT_METRICS_LISTEN: `127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector.url,
    OTEL_SERVICE_NAME: "coregit-api",
    OTEL_BSP_SCHEDULE_DELAY: "60000",
  });
  const metrics = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect([metrics.status, metrics.headers.get("content-type")]).toEqual([200, expect.stringContaining("text/plain")]);
  expect(await metrics.text()).toContain("coregit_build_info");
  expect((await fetch(`http://127.0.0.1:${port}/v1/openapi.json`)).status).toBe(404);
  expect((await fetch(`${program.url}/metrics`)).status).toBe(404);

  const headers = { "x-api-key": program.key, "x-request-id": "the-last" };
  expect((await fetch(`${program.url}/v1/syncs`, { headers })).status).toBe(200);
  await program[Symbol.asyncDispose]();
  expect(collector.resource).toEqual({ "service.name": "coregit-api" });
  const last = collector.spans.find(({ attributes }) => attributes["coregit.request_id"] === "the-last");
  expect(last).toMatchObject({ name: "GET /v1/syncs", attributes: { "http.route": "/v1/syncs" }, failure: null });
  expect(collector.requests.map(({ text }) => text).join("")).not.toContain(program.key);
});
