// The bytes that a `put` reads: of exactly the announced size, in pieces of a bounded size, and given up at once when
// aborted, also while the source is silent.

import { createReadStream } from "node:fs";
import { CoregitError } from "../domain/errors.ts";

/**
 * Small, so that the allocator uses again what a push's own chunks have left: 1 MiB made a push of 160 MB cost 20 MB more memory.
 */
const READ_BYTES = 1 << 17;

/** The bytes of a file in order. It is opened when the first are asked for. */
export async function* bytesOfFile(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { highWaterMark: READ_BYTES });
}

/** Carries what a source threw past the store, which passes `cause` on as it is and not as a failure of its own. */
export class SourceFailure extends Error {
  override readonly name = "SourceFailure";
}

export function sourceFailed(cause: unknown): never {
  throw new SourceFailure("The source of a blob failed.", { cause });
}

/** @throws SourceFailure when the put was aborted. */
export function checkWanted(signal?: AbortSignal): void {
  if (signal?.aborted === true) throw new SourceFailure("The put was aborted.", { cause: signal.reason });
}

/** @throws SourceFailure for an error of the source, or an abort. @throws CoregitError `StorageCorrupt` when the source ends before `size` or goes on behind it. */
export async function* exactBytes(
  source: AsyncIterable<Uint8Array>,
  size: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let received = 0;
  for await (const bytes of abortable(source, signal)) {
    received += bytes.length;
    if (received > size) throw new CoregitError("StorageCorrupt", `More than the announced ${size} bytes came.`);
    yield bytes;
  }
  if (received < size) throw new CoregitError("StorageCorrupt", `Only ${received} of the announced ${size} bytes came.`);
}

/** The same bytes in pieces of `partBytes`; the last one may be shorter. A piece is valid until the next is asked for. */
export async function* inParts(source: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Uint8Array> {
  const part = new Uint8Array(partBytes);
  let filled = 0;
  for await (const bytes of source) {
    for (let offset = 0; offset < bytes.length; ) {
      const piece = bytes.subarray(offset, offset + partBytes - filled);
      part.set(piece, filled);
      filled += piece.length;
      offset += piece.length;
      if (filled < partBytes) continue;
      yield part;
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}

async function* abortable(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const result = await nextOrAbort(iterator, signal);
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    // Not awaited: a source that is silent would not answer this either.
    iterator.return?.().catch(() => undefined);
  }
}

async function nextOrAbort(iterator: AsyncIterator<Uint8Array>, signal?: AbortSignal): Promise<IteratorResult<Uint8Array>> {
  checkWanted(signal);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([iterator.next(), aborted]);
  } catch (cause) {
    return sourceFailed(cause);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
