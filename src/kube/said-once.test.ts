import { describe, expect, test } from "vitest";
import { ManualTime } from "../../test/support/manual-time.ts";
import { SaidOnce } from "./said-once.ts";

describe("what was said", () => {
  test("is said again when it changes, after an hour, or when it was well in between", () => {
    const time = new ManualTime();
    const said = new SaidOnce(time);
    const told = [said.isNews("a", "broken"), said.isNews("a", "broken"), said.isNews("b", "broken"), said.isNews("a", "worse")];
    expect(told).toEqual([true, false, true, true]);
    time.advance(3_600_000);
    expect([said.isNews("a", "worse"), said.isNews("a", "worse")]).toEqual([true, false]);
    said.forget("a");
    expect(said.isNews("a", "worse")).toBe(true);
  });

  test("is remembered of so many subjects and no more", () => {
    const said = new SaidOnce(new ManualTime());
    for (let index = 0; index < 1001; index += 1) said.isNews(`${index}`, "broken");
    expect([said.isNews("1", "broken"), said.isNews("0", "broken")]).toEqual([false, true]);
  });
});
