// Bytes into a process as it takes them. Unlike a stream pipeline it does not outlive the process: a source that is silent
// for ever holds nobody up once the process has ended.
import { once } from "node:events";
import type { GitProcess } from "./git-process.ts";

/** Held in memory for git, so that the source goes on sending while git works. */
const AHEAD_BYTES = 1 << 20;

/** Resolves when the source is at its end or git is gone. Rejects with the source's error, and lets go of the source whatever happens. */
export async function feed(git: GitProcess, source: AsyncIterable<Uint8Array>): Promise<void> {
  const chunks = source[Symbol.asyncIterator]();
  const orGone = untilGone(git);
  try {
    for (;;) {
      const next = await orGone(chunks.next());
      if (next === null || next.done === true) break;
      git.stdin.write(next.value);
      const isAhead = git.stdin.writableLength > AHEAD_BYTES;
      if (isAhead && (await orGone(hasDrained(git))) !== true) break;
    }
  } finally {
    git.stdin.end();
    // Not awaited: a source that is waiting for its own next byte answers only then.
    void chunks.return?.().catch(() => undefined);
  }
}

/**
 * Waits for one thing at a time or, null, the end of git. Not by a race: the promise of git's end would keep the result of
 * each, and so all the bytes, for as long as git runs.
 */
function untilGone(git: GitProcess): <T>(work: Promise<T>) => Promise<T | null> {
  let isGone = false;
  let giveUp = (): void => undefined;
  void git.exited.then(() => {
    isGone = true;
    giveUp();
  });
  return <T>(work: Promise<T>) => {
    const { promise, resolve, reject } = Promise.withResolvers<T | null>();
    giveUp = () => resolve(null);
    if (isGone) resolve(null);
    work.then(resolve, reject);
    return promise;
  };
}

/** False: git has closed its input. */
function hasDrained(git: GitProcess): Promise<boolean> {
  return once(git.stdin, "drain").then(
    () => true,
    () => false,
  );
}
