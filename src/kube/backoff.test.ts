import { describe, expect, test } from "vitest";
import { ManualTime } from "../../test/support/manual-time.ts";
import { Backoff, backoffMs } from "./backoff.ts";

const limits = { firstMs: 800, longestMs: 30_000 };

describe("back-off", () => {
  test("doubles up to the longest wait", () => {
    expect([1, 2, 3, 4, 5, 6, 7, 60].map((failures) => backoffMs(failures, limits, () => 1))).toEqual([
      800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000,
    ]);
  });

  test("spreads between half of the wait and all of it", () => {
    expect([0, 0.5, 1].map((chance) => backoffMs(2, limits, () => chance))).toEqual([800, 1200, 1600]);
  });

  test("starts anew after a healthy time and not before", () => {
    const time = new ManualTime();
    const backoff = new Backoff({ ...limits, resetAfterMs: 120_000 }, time, () => 1);
    expect([backoff.nextMs(), backoff.nextMs(), backoff.nextMs()]).toEqual([800, 1600, 3200]);
    time.advance(120_000);
    expect(backoff.nextMs()).toBe(6400);
    time.advance(120_001);
    expect(backoff.nextMs()).toBe(800);
  });
});
