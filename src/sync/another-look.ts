// When a run begins anew instead of failing: what it had gathered was overtaken, so that another look settles it.
import { CoregitError } from "../domain/errors.ts";

/** How often a run begins anew when the remote moved, or the cache was deleted, under it. After that the next run tries. */
export const MAX_HEADS = 3;

export function isWorthAnotherLook(error: unknown): boolean {
  return error instanceof CoregitError && (error.code === "RemoteMoved" || error.code === "CacheLost");
}
