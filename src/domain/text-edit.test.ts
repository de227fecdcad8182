import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyEdits, type TextEdit } from "./text-edit.ts";

const edit = (text: string, ...edits: readonly (readonly [string, string])[]) => {
  const result = applyEdits(
    Buffer.from(text),
    edits.map(([old_string, new_string]): TextEdit => ({ old_string, new_string })),
  );
  return "found" in result ? result : Buffer.from(result).toString();
};

describe("edits of a file", () => {
  it("replace a text that stands there once, one after the other", () => {
    expect(edit("one two three", ["two", "2"], ["2 three", "2 3"])).toBe("one 2 3");
    expect(edit("ä\u{1f600}", ["\u{1f600}", ""])).toBe("ä");
  });

  it.each<[string, string, string]>([
    ["abc", "x", "none"],
    ["abc", "abcd", "none"],
    ["", "a", "none"],
    ["aa", "a", "several"],
    ["aaa", "aa", "several"],
    ["abab", "ab", "several"],
  ])("of %j do not apply where %j is found: %s", (text, old, found) => {
    expect(edit(text, [old, ""])).toEqual({ index: 0, found });
  });

  it("name the one that does not apply to what the others left", () => {
    expect(edit("a b", ["a", "b"], ["b", "c"])).toEqual({ index: 1, found: "several" });
  });

  it("find what a search from both ends finds", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 40 });
    const old = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(text, old, (content, pattern) => {
        const first = content.indexOf(pattern);
        const isOnce = first >= 0 && first === content.lastIndexOf(pattern);
        const found = first < 0 ? "none" : "several";
        expect(edit(content, [pattern, "X"])).toEqual(isOnce ? content.replace(pattern, "X") : { index: 0, found });
      }),
      { numRuns: 1_000 },
    );
  });

  it("take time in proportion to the file whatever is looked for", () => {
    const startedMs = performance.now();
    edit("a".repeat(2_000_000), [`b${"a".repeat(1_000_000)}`, ""]);
    edit("a".repeat(2_000_000), [`${"a".repeat(1_000_000)}b`, ""]);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});
