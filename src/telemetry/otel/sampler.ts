// Which traces are recorded, by the names of OTEL_TRACES_SAMPLER.
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import type { TracingOptions } from "../tracing-options.ts";

export function samplerOf({ kind, ratio, isParentBased }: TracingOptions["sampler"]): Sampler {
  const root = rootSampler(kind, ratio);
  return isParentBased ? new ParentBasedSampler({ root }) : root;
}

function rootSampler(kind: TracingOptions["sampler"]["kind"], ratio: number): Sampler {
  if (kind === "on") return new AlwaysOnSampler();
  return kind === "off" ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio);
}
