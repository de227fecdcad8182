import fc from "fast-check";
import { expect, test } from "vitest";
import { newObject } from "../domain/object-codec.ts";
import { concatPacks } from "./concat-packs.ts";
import { extractPack } from "./extract-pack.ts";
import { writePack } from "./pack-writer.ts";

const packOf = (numbers: readonly number[]) =>
  writePack(numbers.map((number) => newObject("blob", Buffer.from(`blob ${number}`.repeat(number)))));

const wanted = (numbers: readonly number[]) => {
  const { name, objectCount, pack } = packOf(numbers);
  return { name, objectCount, packSize: pack.length };
};

test("every pack that shares no object with others comes out of the joined one as it was", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(60), { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 7 }), (numbers, size) => {
      const parts: number[][] = [];
      for (let start = 0; start < numbers.length; start += size) parts.push(numbers.slice(start, start + size));
      const { joined } = concatPacks(parts.map(packOf));
      for (const part of parts) {
        const { pack, idx } = packOf(part);
        expect(extractPack(joined, wanted(part))).toEqual({ pack, idx });
      }
    }),
  );
});

test("a pack that is not there in one piece, or whose bytes are others there, does not come out", () => {
  const { joined } = concatPacks([packOf([1, 2]), packOf([2, 3])]);
  expect(extractPack(joined, wanted([2, 3]))).not.toBeNull();
  expect(extractPack(joined, wanted([1, 3]))).toBeNull();
  expect(extractPack(joined, wanted([1, 2, 3, 4]))).toBeNull();
  joined.pack[20] = (joined.pack[20] ?? 0) ^ 1;
  expect(extractPack(joined, wanted([1, 2]))).toBeNull();
});
