import { expect, test } from "vitest";
import { RateLimit } from "./rate-limit.ts";

function limitAt(startMs: number) {
  const time = { nowMs: startMs };
  const limit = new RateLimit(2, { now: () => time.nowMs, monotonic: () => 0 });
  return { time, take: (id: string) => limit.take(id) };
}

test("requests beyond the limit of a minute are too many, until the next minute", () => {
  const { time, take } = limitAt(120_000 + 59_100);
  const quota = { limit: 2, resetAt: 180, retryAfter: 1 };
  expect([take("a"), take("a"), take("a")]).toEqual([
    { ...quota, remaining: 1, isExceeded: false },
    { ...quota, remaining: 0, isExceeded: false },
    { ...quota, remaining: 0, isExceeded: true },
  ]);
  time.nowMs = 180_000;
  expect(take("a")).toEqual({ limit: 2, remaining: 1, resetAt: 240, retryAfter: 60, isExceeded: false });
});

test("tokens are counted each by itself", () => {
  const { take } = limitAt(0);
  take("a");
  take("a");
  expect([take("b").remaining, take("a").isExceeded]).toEqual([1, true]);
});
