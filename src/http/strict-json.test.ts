import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseStrictJson } from "./strict-json.ts";

const parse = (text: string) => parseStrictJson(Buffer.from(text));

describe("a JSON body", () => {
  it("is what JSON.parse makes of it", () => {
    // A key that changes what an object inherits is refused, which is not what this is about.
    const value = fc.json({ maxDepth: 5 }).filter((text) => !text.includes("__proto__"));
    fc.assert(
      fc.property(value, (text) => {
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("may have any text in strings", () => {
    const anyText = fc.string({ unit: fc.constantFrom('"', "\\", "{", "[", "]", "}", ":", ",", "a", "\n") });
    fc.assert(
      fc.property(anyText, (text) => {
        const value = { x: [text], [`${text}.`]: { x: text } };
        expect(parse(JSON.stringify(value))).toEqual(value);
      }),
      { examples: [['"'], ["\\"], ['\\"'], ['":']] },
    );
  });

  it("may repeat a key in different objects", () => {
    expect(parse('{"a":{"a":1},"b":[{"a":1},{"a":2}]}')).toEqual({ a: { a: 1 }, b: [{ a: 1 }, { a: 2 }] });
  });

  it.each([
    ["", "is empty"],
    ['{"a":1,"a":2}', 'has the key "a" twice'],
    ['{"a":1,"\\u0061":2}', 'has the key "a" twice'],
    ['{"x":[{"a":{},"b":1, "a" :2}]}', 'has the key "a" twice'],
    ['{"\\\\":1,"\\u005c":2}', "twice"],
    ['{"__proto__":1}', '"__proto__"'],
    ["[".repeat(33) + "]".repeat(33), "more than 32 levels"],
    ['{"a":'.repeat(100_000), "more than 32 levels"],
    [`[${"1,".repeat(300_000)}1]`, "more than 250000 parts"],
    ['{"a":1', "not valid JSON"],
    ['{"a":"', "not valid JSON"],
    ['{"a":"\\"}', "not valid JSON"],
    ["}]", "not valid JSON"],
    ["\ufeff{}", "not valid JSON"],
    ['{"a":"\u0000"}', "not valid JSON"],
  ])("%.40j is refused", (text, message) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: "InvalidRequest", message: expect.stringContaining(message) }),
    );
  });

  it("that is not UTF-8 is refused", () => {
    expect(() => parseStrictJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow("not valid UTF-8");
    expect(() => parseStrictJson(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toThrow("not valid UTF-8");
  });

  it("full of quotes and backslashes is read in linear time", () => {
    const text = JSON.stringify({ a: '\\"'.repeat(500_000), b: "\\".repeat(1_000_000) });
    const startedMs = performance.now();
    parse(text);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});
