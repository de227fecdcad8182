import { expect, test } from "vitest";
import { similarWord } from "./similar-word.ts";

test.each([
  ["intervall", "interval"],
  ["SUSPEND", "suspend"],
  ["brnach", "branch"],
  ["x", null],
  ["completely", null],
])("for %s it finds %s", (word, found) => {
  expect(similarWord(word, ["interval", "suspend", "branch", "path"])).toBe(found);
});
