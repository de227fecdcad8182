import { expect, test } from "vitest";
import { unstorableTexts } from "./unstorable-text.ts";

test("texts with a NUL are named by their place, others pass", () => {
  const spec = { description: "a\0b", limit: 0, include: ["docs", "\0"], commit: { author: null, messageTemplate: "x\ny" } };
  const message = "must not contain a NUL character";
  expect(unstorableTexts(spec, "spec")).toEqual([
    { field: "spec.description", message },
    { field: "spec.include[1]", message },
  ]);
});
