import fc from "fast-check";
import { expect, test } from "vitest";
import { newObject } from "../domain/object-codec.ts";
import { concatPacks } from "./concat-packs.ts";
import { coversIndex } from "./index-coverage.ts";
import { listOids, readEntries } from "./pack-index.ts";
import { writePack } from "./pack-writer.ts";

const packOf = (numbers: readonly number[]) =>
  writePack(numbers.map((number) => newObject("blob", Buffer.from(`blob ${number}`.repeat(number)))));

const contents = fc.array(fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 });

test("many packs as one have each object of each once, and nothing else", async () => {
  await fc.assert(
    fc.asyncProperty(contents, async (numbers) => {
      const packs = numbers.map(packOf);
      const { joined, apart } = concatPacks(packs);
      expect(apart).toEqual([]);
      expect(listOids(joined.idx)).toEqual([...new Set(packs.flatMap(({ idx }) => listOids(idx)))].sort());
      for (const { idx } of packs) expect(await coversIndex(joined.idx, idx)).toBe(true);
      // The same objects written at once: the bytes of each are the same, wherever they stand.
      const expected = packOf([...new Set(numbers.flat())]);
      expect(joined).toEqual(expected);
    }),
  );
});

test("a pack with deltas by distance is left apart when another has one of its objects, and taken whole otherwise", () => {
  const delta = packOf([3, 4]);
  // Only the type of an entry is looked at: 6 is a delta by distance.
  const [first] = readEntries(delta.idx);
  const offset = first?.offset ?? 0;
  delta.pack[offset] = ((delta.pack[offset] ?? 0) & 0x8f) | 0x60;
  expect(concatPacks([packOf([1, 2]), delta]).apart).toEqual([]);
  expect(concatPacks([packOf([1, 3]), delta]).apart).toEqual([delta]);
  expect(concatPacks([delta, packOf([1, 3])]).apart).toEqual([]);
});
