import { describe, expect, it } from "vitest";
import { allowedDeletions, allowsEmptying, formatDeletionLimit, parseDeletionLimit } from "./deletion-limit.ts";

describe("maxDeletions", () => {
  it.each([
    [50, { count: 50 }, "50"],
    ["50", { count: 50 }, "50"],
    [0, { count: 0 }, "0"],
    ["10%", { percent: 10 }, "10%"],
    ["0%", { percent: 0 }, "0%"],
    ["100%", { percent: 100 }, "100%"],
  ])("%j is read and written", (value, limit, text) => {
    expect(parseDeletionLimit(value)).toEqual(limit);
    expect(formatDeletionLimit(limit as { count: number })).toBe(text);
  });

  it.each([-1, 1.5, Number.NaN, 1e21, "", "%", "101%", "1.5%", "-1%", "10 %", " 10", "1e3", "10%%"])("%j is refused", (value) => {
    expect(parseDeletionLimit(value)).toBeNull();
  });

  it("as a percentage is of what is there, rounded down", () => {
    expect([0, 9, 10, 19, 20].map((total) => allowedDeletions({ percent: 10 }, total))).toEqual([0, 0, 1, 1, 2]);
    expect(allowedDeletions({ count: 5 }, 0)).toBe(5);
  });

  it("allows emptying at 100 % only", () => {
    expect([null, { count: 1_000_000 }, { percent: 99 }, { percent: 100 }].map(allowsEmptying)).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });
});
