import { describe, expect, test } from "vitest";
import { entityTag, isNotModified, requestedPart } from "./conditional.ts";

const TAG = entityTag("abc");

describe("If-None-Match", () => {
  test.each([
    ['"abc"', true],
    ['W/"abc"', true],
    ['"x", W/"abc"', true],
    ["*", true],
    ['"abcd"', false],
    ["abc", false],
    ["", false],
  ])("%s means that the client has it: %s", (given, expected) => {
    expect(isNotModified({ "if-none-match": given }, TAG)).toBe(expected);
  });

  test("that is not sent means nothing", () => {
    expect(isNotModified({}, TAG)).toBe(false);
  });
});

describe("a range of 10 bytes", () => {
  test.each([
    ["bytes=0-0", { start: 0, end: 1 }],
    ["bytes=2-4", { start: 2, end: 5 }],
    ["bytes=9-", { start: 9, end: 10 }],
    ["bytes=5-999999999999999", { start: 5, end: 10 }],
    ["bytes=-4", { start: 6, end: 10 }],
    ["bytes=-11", { start: 0, end: 10 }],
    ["BYTES=1-1", { start: 1, end: 2 }],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=10-12", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=4-2", "whole"],
    ["bytes=-", "whole"],
    ["bytes=0-1,4-5", "whole"],
    ["bytes=a-b", "whole"],
    ["bytes=0-9999999999999999", "whole"],
    ["items=0-1", "whole"],
    ["", "whole"],
  ])("%j is %j", (range, expected) => {
    expect(requestedPart({ range }, TAG, 10)).toEqual(expected);
  });

  test("counts only for the content that the client knows", () => {
    expect(requestedPart({ range: "bytes=0-0", "if-range": TAG }, TAG, 10)).toEqual({ start: 0, end: 1 });
    expect(requestedPart({ range: "bytes=0-0", "if-range": `W/${TAG}` }, TAG, 10)).toBe("whole");
    expect(requestedPart({ range: "bytes=0-0", "if-range": "Wed, 21 Oct 2015 07:28:00 GMT" }, TAG, 10)).toBe("whole");
  });

  test("of nothing is never satisfiable", () => {
    expect(requestedPart({ range: "bytes=0-" }, TAG, 0)).toBe("unsatisfiable");
    expect(requestedPart({}, TAG, 0)).toBe("whole");
  });
});
