import { expect, test } from "vitest";
import { PointsWindow } from "./points-window.ts";

test("a minute has room for 900 points, and for more as old ones leave it", () => {
  const window = new PointsWindow();
  for (let second = 0; second < 90; second += 1) {
    expect(window.freeAtMs(10, second * 500)).toBe(second * 500);
    window.spend(10, second * 500);
  }
  // Spent in pairs, those of one second leave together.
  expect(window.freeAtMs(1, 45_000)).toBe(61_000);
  expect(window.freeAtMs(20, 45_000)).toBe(61_000);
  expect(window.freeAtMs(21, 45_000)).toBe(62_000);
  expect(window.freeAtMs(900, 200_000)).toBe(200_000);
});
