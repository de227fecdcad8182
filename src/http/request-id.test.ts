import { describe, expect, test } from "vitest";
import { requestId } from "./request-id.ts";

describe("the id of a request", () => {
  test("is the caller's when that is a short plain word", () => {
    expect(requestId("req-7.A_b:9")).toBe("req-7.A_b:9");
  });

  test.each([
    ["missing", undefined],
    ["empty", ""],
    ["a header given twice", ["a", "b"]],
    ["longer than 128 characters", "a".repeat(129)],
    ["something that would break a log line", 'x" level="error'],
  ])("is a new UUID when the caller's is %s", (_, given) => {
    expect(requestId(given)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  });
});
