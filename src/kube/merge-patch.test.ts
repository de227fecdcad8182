import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mergePatch } from "./merge-patch.ts";

type Json = Readonly<Record<string, unknown>>;

/** RFC 7386, section 2, for objects. */
function apply(target: Json, patch: Json): Json {
  const result: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (isObject(value)) result[key] = apply(isObject(result[key]) ? (result[key] as Json) : {}, value);
    else result[key] = value;
  }
  return result;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.array(fc.integer(), { maxLength: 3 }));
const key = fc.constantFrom("a", "b", "c", "d");
const document = fc.letrec<{ tree: Json }>((tie) => ({
  tree: fc.dictionary(key, fc.oneof({ maxDepth: 3 }, leaf, tie("tree"))) as fc.Arbitrary<Json>,
})).tree;

describe("merge patch", () => {
  test.each([
    { name: "equal documents need none", from: { a: 1, b: { c: [1] } }, to: { b: { c: [1] }, a: 1 }, patch: null },
    { name: "only what differs is in it", from: { a: 1, b: 2 }, to: { a: 1, b: 3 }, patch: { b: 3 } },
    { name: "what is absent is removed", from: { a: 1, b: 2 }, to: { a: 1 }, patch: { b: null } },
    { name: "undefined is absent", from: { a: 1 }, to: { a: undefined }, patch: { a: null } },
    { name: "objects are entered", from: { a: { x: 1, y: 2 } }, to: { a: { x: 1, y: 3 } }, patch: { a: { y: 3 } } },
    { name: "lists are replaced", from: { a: [1, 2] }, to: { a: [1, 3] }, patch: { a: [1, 3] } },
  ])("$name", ({ from, to, patch }) => {
    expect(mergePatch(from, to)).toEqual(patch);
  });

  test("applied to the one document it gives the other", () => {
    fc.assert(
      fc.property(document, document, (from, to) => {
        const patch = mergePatch(from, to);
        expect(mergePatch(apply(from, patch ?? {}), to)).toBeNull();
      }),
    );
  });
});
