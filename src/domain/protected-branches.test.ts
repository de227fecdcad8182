import { describe, expect, test } from "vitest";
import { protectingPattern } from "./protected-branches.ts";

describe("a pattern", () => {
  test.each([
    ["main", "main", true],
    ["main", "Main", false],
    ["main", "main2", false],
    ["release", "release/1", false],
    ["release/*", "release/1.0", true],
    ["release/*", "release/1/0", false],
    ["release/*", "release", false],
    ["release/**", "release/1/0", true],
    ["*", "main", true],
    ["*", "fix/typo", false],
    ["**", "fix/typo", true],
    ["v*-lts", "v20-lts", true],
    ["v*-lts", "v20", false],
    ["*/stable", "web/stable", true],
    ["{a,b}*", "{a,b}c", true],
    ["{a,b}*", "ac", false],
    ["!x*", "!xy", true],
    ["@(x)*", "@(x)y", true],
    ["ä*", "äb", true],
    [".*", "x", false],
  ])("%s for the branch %s: %s", (pattern, branch, isProtected) => {
    expect(protectingPattern([pattern], branch)).toBe(isProtected ? pattern : null);
  });

  test("is found among others, the first that fits", () => {
    expect(protectingPattern(["main", "r*", "*"], "release")).toBe("r*");
    expect(protectingPattern([], "release")).toBeNull();
  });

  test("of many stars does not stall", () => {
    expect(protectingPattern([`${"*a".repeat(120)}c`], "a".repeat(240))).toBeNull();
  });
});
