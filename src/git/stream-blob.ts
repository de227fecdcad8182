// One blob as git inflates it, by a process of its own: for blobs that are too large to be held in memory.
import type { Oid } from "../domain/oid.ts";
import { type GitCommand, gitFailure, startGit } from "./git-process.ts";

/** A client that takes a large file over a slow line; one that takes nothing is cut off long before. */
const DEADLINE_MS = 6 * 3_600_000;

/** From this size on git itself streams a blob that is stored whole, instead of inflating it into memory. */
const STREAMED_FROM = "core.bigFileThreshold=1m";

/**
 * The bytes of a blob. Stopping the iteration or the signal ends git. The last of them come when git has found nothing wrong
 * with the blob, so that one that is damaged is never taken for whole. @throws CoregitError `Internal`, `Timeout`.
 */
export async function* streamBlob(gitDir: string, oid: Oid, signal: AbortSignal): AsyncGenerator<Buffer> {
  const args = ["-c", STREAMED_FROM, "cat-file", "blob", oid];
  const command: GitCommand = { args, gitDir, signal, deadlineMs: DEADLINE_MS };
  await using git = startGit(command);
  git.stdin.end();
  let last: Buffer | null = null;
  for await (const chunk of git.stdout as AsyncIterable<Buffer>) {
    if (last !== null) yield last;
    last = chunk;
  }
  const exit = await git.exited;
  signal.throwIfAborted();
  if (exit.code !== 0) throw gitFailure(command, exit);
  if (last !== null) yield last;
}
