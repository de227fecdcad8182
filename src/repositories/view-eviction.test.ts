import { expect, test } from "vitest";
import { chooseEvictions, IN_USE_MS } from "./view-eviction.ts";

const NOW = 100 * IN_USE_MS;
const view = (id: string, bytes: number, minutesAgo: number) => ({ id, bytes, lastUsedMs: NOW - minutesAgo * 60_000 });
const views = [view("old", 10, 90), view("older", 10, 120), view("fresh", 10, 1), view("middle", 10, 60)];
const nobody = () => false;

test.each([
  ["nothing goes while there is room", 40, nobody, []],
  ["the longest unused goes first", 30, nobody, ["older"]],
  ["only as much as needed goes", 15, nobody, ["older", "old", "middle"]],
  ["what was used a moment ago stays, even when there is no room", 0, nobody, ["older", "old", "middle"]],
  ["what is held stays", 30, (id: string) => id === "older", ["old"]],
])("%s", (_, maxBytes, isLeased, expected) => {
  expect(chooseEvictions(views, maxBytes, NOW, isLeased)).toEqual(expected);
});
