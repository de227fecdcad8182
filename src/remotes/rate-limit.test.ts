import { describe, expect, test } from "vitest";
import { clockOffsetMs, readAllowance, readLimit } from "./rate-limit.ts";

const NOW = Date.UTC(2026, 10, 22, 12);
const SECONDS = NOW / 1000;
const date = (offsetSeconds: number) => new Date(NOW + offsetSeconds * 1000).toUTCString();
const SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";

describe("a limit", () => {
  test.each([
    ["GitHub's secondary one by 403 and its time", 403, { "retry-after": "77" }, SECONDARY, 77, "all", true],
    ["GitHub's secondary one by 429 and its time", 429, { "retry-after": "77" }, "", 77, "all", true],
    ["GitHub's secondary one by words alone", 403, { "x-ratelimit-remaining": "4000" }, SECONDARY, 60, "all", false],
    [
      "GitHub's primary one",
      403,
      { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(SECONDS + 1800) },
      "API rate limit exceeded",
      1800,
      "allowance",
      true,
    ],
    ["GitLab's plain one", 429, { "retry-after": "5", "ratelimit-remaining": "0" }, "Retry later\n", 5, "all", true],
    ["GitLab's one for archives, without a time and with some left", 429, { "ratelimit-remaining": "99" }, "", 60, "all", false],
    ["a date", 429, { "retry-after": date(90) }, "", 90, "all", true],
    ["a server that is being looked after", 503, { "retry-after": "120" }, "", 120, "all", true],
    ["a lie", 429, { "retry-after": "99999999" }, "", 86_400, "all", true],
  ] as const)("%s is read", (_, status, headers, said, seconds, scope, isTimed) => {
    expect(readLimit({ status, headers, said }, NOW)).toEqual({ untilMs: NOW + seconds * 1000, scope, isTimed });
  });

  test.each([
    [
      "a missing permission",
      403,
      { "x-ratelimit-remaining": "12", "x-ratelimit-reset": String(SECONDS + 9) },
      "Resource not accessible",
    ],
    ["a bad gateway", 502, { "retry-after": "5" }, ""],
    ["an outage without a time", 503, {}, ""],
    ["a good answer", 200, { "retry-after": "5" }, ""],
  ] as const)("is not %s", (_, status, headers, said) => {
    expect(readLimit({ status, headers, said }, NOW)).toBeNull();
  });
});

describe("what is left", () => {
  test("is told by GitHub with its name, by GitLab without, both with a time by their own clock", () => {
    const gitHub = { "x-ratelimit-remaining": "7", "x-ratelimit-reset": String(SECONDS + 400), "x-ratelimit-resource": "core" };
    expect(readAllowance(gitHub, NOW)).toEqual({ resource: "core", remaining: 7, resetMs: NOW + 400_000 });
    const ahead = { ...gitHub, date: date(100) };
    expect(readAllowance(ahead, NOW)).toEqual({ resource: "core", remaining: 7, resetMs: NOW + 300_000 });
    const gitLab = { "ratelimit-remaining": "0", "ratelimit-reset": String(SECONDS + 30) };
    expect(readAllowance(gitLab, NOW)).toEqual({ resource: null, remaining: 0, resetMs: NOW + 30_000 });
  });

  test("may have a time in seconds from now, and never one beyond a day", () => {
    const at = (reset: string) => readAllowance({ "ratelimit-remaining": "0", "ratelimit-reset": reset }, NOW)?.resetMs;
    expect([at("20"), at("9999999999"), at("soon")]).toEqual([NOW + 20_000, NOW + 86_400_000, undefined]);
  });
});

test("a clock is believed to be off by a day at most", () => {
  expect([date(-3600), date(3 * 86_400), "never"].map((text) => clockOffsetMs({ date: text }, NOW))).toEqual([-3_600_000, 0, 0]);
});
