import { expect, test } from "vitest";
import { paramsOf, patternOf } from "./route-address.ts";

test("a last part that takes the rest keeps its name", () => {
  expect(patternOf("/repos/:slug/branches/:branch*")).toBe("/repos/:slug/branches/*");
  const request = { params: { slug: "site", "*": "a/b" } };
  expect(paramsOf({ path: "/branches/:branch*" }, request)).toEqual({ slug: "site", branch: "a/b" });
});

test("other parts are as they are", () => {
  expect(patternOf("/runs/:id")).toBe("/runs/:id");
  expect(paramsOf({ path: "/runs/:id" }, { params: { id: "run_1" } })).toEqual({ id: "run_1" });
});
