// The range of a `get`, as offsets that lie within the blob.

import { CoregitError } from "../domain/errors.ts";

export type ByteRange = { readonly start: number; readonly end?: number };

/** Cut to the blob's size; empty when it starts behind the end. @throws CoregitError `Internal` for negative or reversed offsets. */
export function resolveRange(range: ByteRange | undefined, size: number): { readonly start: number; readonly end: number } {
  const { start = 0, end = size } = range ?? {};
  const isGood =
    Number.isSafeInteger(start) && start >= 0 && (range?.end === undefined || (Number.isSafeInteger(end) && end >= start));
  if (!isGood) throw new CoregitError("Internal", `Not a byte range: ${start} to ${end}.`);
  return { start: Math.min(start, size), end: Math.min(end, size) };
}
