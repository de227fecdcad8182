import { describe, expect, test } from "vitest";
import { parseConfig } from "./parse-config.ts";

function tracing(environment: Readonly<Record<string, string>>) {
  return parseConfig({ command: "standalone", environment, flags: {}, workingDirectory: "/cwd", isTty: false }).config.tracing;
}

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

describe("traces", () => {
  test("are off without an endpoint, whatever else is set", () => {
    expect(tracing({ OTEL_SERVICE_NAME: "git", OTEL_TRACES_SAMPLER: "always_on" })).toBeNull();
  });

  test("go to an endpoint, all of them, by the standard's defaults", () => {
    expect(tracing(ENDPOINT)).toEqual({
      url: "http://collector:4318/v1/traces",
      headers: {},
      timeoutMs: 10_000,
      sampler: { kind: "on", ratio: 1, isParentBased: true },
      resource: { "service.name": "coregit" },
      delayMs: 5_000,
    });
  });

  test.each([
    ["http://collector:4318/", "http://collector:4318/v1/traces"],
    ["https://otel.example/base", "https://otel.example/base/v1/traces"],
  ])("go below the base URL %s", (base, url) => {
    expect(tracing({ OTEL_EXPORTER_OTLP_ENDPOINT: base })?.url).toBe(url);
  });

  test("go to the URL for traces as it is", () => {
    const own = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://other:9/spans" };
    expect(tracing({ ...ENDPOINT, ...own })?.url).toBe("http://other:9/spans");
  });

  test.each([{ OTEL_SDK_DISABLED: "TRUE" }, { OTEL_TRACES_EXPORTER: "none" }])("are turned off by %j", (off) => {
    expect(tracing({ ...ENDPOINT, ...off })).toBeNull();
  });

  test("carry the headers and attributes that are given, decoded, the service's name above all", () => {
    const setting = tracing({
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_HEADERS: "x-team=git,authorization=Bearer%20abc",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-team=traces",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=prod, service.name=no,service.version=1%2C2",
      OTEL_SERVICE_NAME: "coregit-api",
    });
    expect(setting?.headers).toEqual({ "x-team": "traces", authorization: "Bearer abc" });
    expect(setting?.resource).toEqual({
      "deployment.environment.name": "prod",
      "service.name": "coregit-api",
      "service.version": "1,2",
    });
  });

  test.each([
    ["parentbased_traceidratio", { kind: "ratio", ratio: 0.25, isParentBased: true }],
    ["traceidratio", { kind: "ratio", ratio: 0.25, isParentBased: false }],
    ["always_off", { kind: "off", ratio: 0.25, isParentBased: false }],
  ])("are sampled by %s", (name, sampler) => {
    expect(tracing({ ...ENDPOINT, OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: "0.25" })?.sampler).toEqual(sampler);
  });
});
