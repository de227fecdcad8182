// Traces by the variables that OpenTelemetry gives them. Those of its values that this program cannot serve are refused, so that
// nobody waits for traces that never come.
import type { TracingSetting } from "./config.ts";
import type { ReadSetting } from "./settings.ts";
import { ValueProblem } from "./value-problem.ts";
import { readChoice, readWhole } from "./values.ts";

type Pairs = Readonly<Record<string, string>>;

const SAMPLERS = ["always_on", "always_off", "traceidratio"] as const;
const SAMPLER_NAMES = [...SAMPLERS, ...SAMPLERS.map((name) => `parentbased_${name}` as const)];
const KINDS = { always_on: "on", always_off: "off", traceidratio: "ratio" } as const;

const MAX_TIMEOUT_MS = 60_000;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Null: none are asked for. @throws ConfigError for a wrong value, also where none are asked for. */
export function readTracing(value: ReadSetting): TracingSetting | null {
  for (const variable of ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] as const) {
    value(variable, (text) => readChoice(text, ["http/json"]), "http/json");
  }
  const base = value("OTEL_EXPORTER_OTLP_ENDPOINT", (text) => `${readEndpoint(text).replace(/\/+$/, "")}/v1/traces`, null);
  const url = value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", readEndpoint, base);
  const isDisabled = value("OTEL_SDK_DISABLED", (text) => text.toLowerCase() === "true", false);
  const exporter = value("OTEL_TRACES_EXPORTER", (text) => readChoice(text, ["otlp", "none"]), "otlp");
  const given = value("OTEL_RESOURCE_ATTRIBUTES", readPairs, {});
  const name = value("OTEL_SERVICE_NAME", (text) => text, given["service.name"] ?? "coregit");
  const setting = {
    headers: {
      ...value("OTEL_EXPORTER_OTLP_HEADERS", readHeaders, {}),
      ...value("OTEL_EXPORTER_OTLP_TRACES_HEADERS", readHeaders, {}),
    },
    timeoutMs: value("OTEL_EXPORTER_OTLP_TIMEOUT", (text) => readWhole(text, 1, MAX_TIMEOUT_MS), 10_000),
    sampler: readSampler(value),
    resource: { ...given, "service.name": name },
    delayMs: value("OTEL_BSP_SCHEDULE_DELAY", (text) => readWhole(text, 1, MAX_TIMEOUT_MS), 5_000),
  };
  return url === null || isDisabled || exporter === "none" ? null : { url, ...setting };
}

function readSampler(value: ReadSetting): TracingSetting["sampler"] {
  const name = value("OTEL_TRACES_SAMPLER", (text) => readChoice(text, SAMPLER_NAMES), "parentbased_always_on");
  const ratio = value("OTEL_TRACES_SAMPLER_ARG", readRatio, 1);
  const root = SAMPLERS.find((sampler) => name.endsWith(sampler)) ?? "always_on";
  return { kind: KINDS[root], ratio, isParentBased: name.startsWith("parentbased_") };
}

function readRatio(text: string): number {
  const ratio = /^[0-9]*\.?[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (!(ratio >= 0 && ratio <= 1)) throw new ValueProblem("must be a number from 0 to 1");
  return ratio;
}

function readEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new ValueProblem("must be a URL such as http://collector:4318");
  }
  if (url.username !== "" || url.password !== "") {
    throw new ValueProblem("must not contain a user name or password; OTEL_EXPORTER_OTLP_HEADERS takes credentials");
  }
  return url.href;
}

/** Not repeated in messages: credentials travel in headers. */
function readHeaders(text: string): Pairs {
  const pairs = readPairs(text);
  const isSendable = Object.entries(pairs).every(([name, value]) => HEADER_NAME.test(name) && /^[\t\x20-\x7e]*$/.test(value));
  if (!isSendable) throw new ValueProblem("holds what is no header");
  return pairs;
}

/** `key=value,key=value`, percent-encoded where need be: https://www.w3.org/TR/baggage/#header-content. */
function readPairs(text: string): Pairs {
  const entries = text.split(",").flatMap((entry) => {
    if (entry.trim() === "") return [];
    const equals = entry.indexOf("=");
    const key = decoded(entry.slice(0, Math.max(equals, 0)));
    if (key === "") throw new ValueProblem("must be key=value with commas between them");
    return [[key, decoded(entry.slice(equals + 1))] as const];
  });
  return Object.fromEntries(entries);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    throw new ValueProblem("holds a % that is no percent-encoding");
  }
}
