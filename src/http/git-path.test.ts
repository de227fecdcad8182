import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pathOf, presentPath } from "./git-path.ts";

describe("a path", () => {
  test.each([
    ["docs/a.md", "docs/a.md"],
    ["/docs/", "docs"],
    ["", ""],
    ["/", ""],
    ["日本", Buffer.from("日本").toString("latin1")],
  ])("written %j means the bytes %j", (path, expected) => {
    expect(pathOf({ path })).toBe(expected);
  });

  test("that a query does not name is the root", () => {
    expect(pathOf({})).toBe("");
  });

  test("is shown such that a query can name it, whatever its bytes", () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 50 }).map((array) => Buffer.from(array).toString("latin1"));
    const property = fc.property(bytes, (path) => {
      fc.pre(!path.startsWith("/") && !path.endsWith("/"));
      expect(pathOf(presentPath(path))).toBe(path);
      expect(presentPath(path).path.isWellFormed()).toBe(true);
    });
    fc.assert(property);
  });
});
