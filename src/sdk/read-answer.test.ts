import { describe, expect, test } from "vitest";
import { refusalOf, secondsToWait } from "./read-answer.ts";

const NOW_MS = Date.parse("2026-01-31T12:00:00Z");

describe("Retry-After", () => {
  test.each([
    ["seconds", "17", 17],
    ["a time to come", "Sat, 31 Jan 2026 12:00:30 GMT", 30],
    ["a time gone by", "Sat, 31 Jan 2026 11:00:00 GMT", 0],
    ["something else", "soon", null],
    ["nothing", null, null],
  ])("of %s", (_, text, seconds) => {
    expect(secondsToWait(text, NOW_MS)).toBe(seconds);
  });
});

describe("a refusal", () => {
  test("has its sentence, code, details, request and waiting time", async () => {
    const body = { error: "The branch has moved.", code: "REF_MOVED", head_sha: null };
    const headers = { "x-request-id": "r-1", "retry-after": "3" };
    expect(await refusalOf(Response.json(body, { status: 409, headers }))).toMatchObject({
      message: "The branch has moved.",
      code: "REF_MOVED",
      status: 409,
      requestId: "r-1",
      retryAfterSeconds: 3,
      details: { head_sha: null },
    });
  });

  test.each([
    ["a proxy's page", new Response("<h1>Bad gateway</h1>", { status: 502 })],
    ["JSON of somebody else", Response.json({ message: "no" }, { status: 502 })],
    ["a list", Response.json([], { status: 502 })],
    ["nothing", new Response(null, { status: 502 })],
  ])("that is %s keeps its status", async (_, response) => {
    expect(await refusalOf(response)).toMatchObject({ code: "UNEXPECTED_ANSWER", status: 502, details: {} });
  });
});
