// Asking again for what one already has.
import type { RequestOptions } from "./result.ts";

/** For what has an entity tag. */
export type CachedRequestOptions = RequestOptions & {
  /** The `etag` header of an earlier answer: while it holds, the call ends with code `NOT_MODIFIED` and status 304. */
  readonly ifNoneMatch?: string | undefined;
};

export function conditionOf(options: CachedRequestOptions | undefined): Readonly<Record<string, string>> {
  return options?.ifNoneMatch === undefined ? {} : { "if-none-match": options.ifNoneMatch };
}
