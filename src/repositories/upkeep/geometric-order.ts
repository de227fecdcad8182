// Which packs of a repository to join, so that in the end each has at least twice as many objects as the next smaller one:
// the rule of `git repack --geometric=2`. Packs stay few (about the logarithm of the objects), and each object is written
// again about as many times as the repository doubles.

const FACTOR = 2;

export type Weighed = { readonly id: string; readonly objectCount: number };

/** The smallest packs that break the order, or would once they are one; fewer than two: there is nothing to join. */
export function chooseForJoining<T extends Weighed>(packs: readonly T[]): readonly T[] {
  const ascending = packs.toSorted((a, b) => a.objectCount - b.objectCount || (a.id < b.id ? -1 : 1));
  let split = firstInOrder(ascending);
  let joined = ascending.slice(0, split).reduce((sum, { objectCount }) => sum + objectCount, 0);
  for (const next of ascending.slice(split)) {
    if (next.objectCount >= FACTOR * joined) break;
    joined += next.objectCount;
    split += 1;
  }
  return ascending.slice(0, split);
}

/** The index from which on each pack is large enough for the one before it; both of the last pair that is not are joined. */
function firstInOrder(ascending: readonly Weighed[]): number {
  const broken = ascending.findLastIndex(
    ({ objectCount }, index) => index > 0 && objectCount < FACTOR * (ascending[index - 1]?.objectCount ?? 0),
  );
  return broken + 1;
}
