// What a store throws in place of an error of the system below it.

import { CoregitError } from "../domain/errors.ts";
import { SourceFailure } from "./byte-source.ts";

/** A CoregitError, or what the source of a put threw, as it is; everything else as `StorageUnavailable` with it as cause. */
export function storageFailure(description: string, error: unknown): unknown {
  if (error instanceof SourceFailure) return error.cause;
  if (error instanceof CoregitError) return error;
  const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
  return new CoregitError("StorageUnavailable", `The blob store ${description} failed${code}.`, { cause: error });
}
