import fc from "fast-check";
import { expect, test } from "vitest";
import { newObject } from "../domain/object-codec.ts";
import { coversIndex } from "./index-coverage.ts";
import { writePack } from "./pack-writer.ts";

const indexOf = (numbers: readonly number[]) =>
  writePack(numbers.map((number) => newObject("blob", Buffer.from(`blob ${number}`)))).idx;

const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 60 });

test("an index covers another exactly when it has each of its objects", async () => {
  await fc.assert(
    fc.asyncProperty(numbers, numbers, async (whole, part) => {
      const expected = part.every((number) => whole.includes(number));
      expect(await coversIndex(indexOf(whole), indexOf(part))).toBe(expected);
    }),
  );
});

test("an index covers its own parts and no superset", async () => {
  await fc.assert(
    fc.asyncProperty(numbers, fc.nat(60), async (whole, position) => {
      const part = whole.slice(0, position);
      expect(await coversIndex(indexOf(whole), indexOf(part))).toBe(true);
      expect(await coversIndex(indexOf(part), indexOf(whole))).toBe(part.length === whole.length);
    }),
  );
});

test("bytes that are no index are told so", async () => {
  await expect(coversIndex(Buffer.from("no index"), indexOf([1]))).rejects.toMatchObject({ code: "PackInvalid" });
});
