// What a store throws in place of an error of the system below it.

import { CoregitError } from "../domain/errors.ts";

/** A CoregitError or the reason of an abort as it is; everything else as `StorageUnavailable` with it as cause. */
export function storageFailure(description: string, error: unknown, signal?: AbortSignal): unknown {
  if (error instanceof CoregitError || (signal?.aborted === true && error === signal.reason)) return error;
  const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
  return new CoregitError("StorageUnavailable", `The blob store ${description} failed${code}.`, { cause: error });
}
