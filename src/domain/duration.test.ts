import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";

describe("a duration", () => {
  it.each([
    ["5m", 300_000],
    ["1h30m", 5_400_000],
    ["0s", 0],
    ["300ms", 300],
    ["1.5h", 5_400_000],
    ["1m0s", 60_000],
    ["90s", 90_000],
    ["0.1ms", 0],
    ["87600h", 315_360_000_000],
  ])("%s is read", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    "",
    "5",
    "5 m",
    "m",
    "-5m",
    "+5m",
    "5d",
    "1e3s",
    "5m ",
    ".5s",
    "5.s",
    "٣s",
    "87601h",
    "9".repeat(60).concat("h"),
    "1s".repeat(40),
  ])("%j is refused", (text) => {
    expect(parseDuration(text)).toBeNull();
  });

  it.each([
    [0, "0s"],
    [300, "300ms"],
    [5_400_000, "1h30m"],
    [61_001, "1m1s1ms"],
  ])("%d ms is written shortly", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it("reads back what it wrote", () => {
    fc.assert(fc.property(fc.nat(), (ms) => parseDuration(formatDuration(ms)) === ms));
  });
});
