import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseForJoining } from "./geometric-order.ts";

const packsOf = (counts: readonly number[]) => counts.map((objectCount, index) => ({ id: `pack-${index}`, objectCount }));
const chosen = (...counts: number[]) => chooseForJoining(packsOf(counts)).map(({ objectCount }) => objectCount);

/** The packs after one has taken the place of the chosen ones. */
function join(packs: ReturnType<typeof packsOf>): ReturnType<typeof packsOf> {
  const joined = chooseForJoining(packs);
  if (joined.length < 2) return packs;
  const rest = packs.filter((pack) => !joined.includes(pack));
  return [...rest, { id: "joined", objectCount: joined.reduce((sum, { objectCount }) => sum + objectCount, 0) }];
}

test.each([
  ["nothing of nothing", [], []],
  ["nothing of one pack", [5], []],
  ["nothing while each is twice the one before", [1, 2, 4, 9, 100], []],
  ["two equal ones", [3, 3], [3, 3]],
  ["the small ones and no large one", [1, 1, 1, 100], [1, 1, 1]],
  ["a larger one that the joined small ones would come too near", [3, 3, 11, 100], [3, 3, 11]],
  ["everything up to the largest pair that is too near", [1, 2, 4, 50, 60, 1000], [1, 2, 4, 50, 60]],
])("joins %s", (_, counts, expected) => {
  expect(chosen(...counts)).toEqual(expected);
});

test("what is left after joining is in order, has few packs, and needs no more joining", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 10_000 }), { maxLength: 200 }), (counts) => {
      const after = join(packsOf(counts));
      const ascending = after.map(({ objectCount }) => objectCount).toSorted((a, b) => a - b);
      expect(ascending.every((count, index) => index === 0 || count >= 2 * (ascending[index - 1] ?? 0))).toBe(true);
      const total = counts.reduce((sum, count) => sum + count, 0);
      expect(after.length).toBeLessThanOrEqual(Math.log2(total + 1) + 1);
      expect(chooseForJoining(after)).toEqual([]);
    }),
  );
});

test("each object of many small packs is written again about as often as their number doubles", () => {
  let packs = packsOf([]);
  let rewritten = 0;
  const commits = 10_000;
  for (let count = 1; count <= commits; count += 1) {
    packs.push({ id: `commit-${count}`, objectCount: 3 });
    if (count % 50 !== 0) continue;
    rewritten += chooseForJoining(packs).reduce((sum, { objectCount }) => sum + objectCount, 0);
    packs = join(packs);
  }
  expect(rewritten / (commits * 3)).toBeLessThan(Math.log2(commits / 50) + 1);
});
