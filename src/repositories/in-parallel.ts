// The same work on many things, a few at a time.

/** Resolves when all is done. The first failure is thrown, when what had begun by then has ended; nothing else begins. */
export async function inParallel<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  // Shared by all: leaving a loop over a generator early closes it for the others, too.
  const queue = each(items);
  const workThrough = async () => {
    for (const item of queue) await work(item);
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(width, items.length) }, workThrough));
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

function* each<T>(items: readonly T[]): Generator<T> {
  yield* items;
}
