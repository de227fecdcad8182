import { describe, expect, test } from "vitest";
import { formatTraceparent, noTracer, parseTraceparent } from "./tracer.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

describe("a traceparent", () => {
  test.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    [`cc-${TRACE}-${SPAN}-03-what-the-future-brings`, true],
  ])("%s is read", (text, isSampled) => {
    expect(parseTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled });
  });

  test.each([
    "",
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\n`,
  ])("%j is none", (text) => {
    expect(parseTraceparent(text)).toBeNull();
  });

  test("is written as it is read", () => {
    for (const isSampled of [true, false]) {
      const context = { traceId: TRACE, spanId: SPAN, isSampled };
      expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
    }
  });
});

test("without a tracer work is done, passes its failure on and has no trace", async () => {
  expect(await noTracer.span("a step", {}, async (span) => span.set({ a: 1 }) ?? noTracer.current())).toBeNull();
  const failure = noTracer.span("a step", {}, async () => Promise.reject(new Error("no")));
  await expect(failure).rejects.toThrow("no");
});
