// All pages of a list, one after the other, by the cursor that each page gives for the next.
import type { Result } from "./result.ts";

/** What a list answers beside its entries. */
export type Page = { readonly next_cursor: string | null };

/**
 * Asks for one page each time the loop wants one:
 * `for await (const { data, error } of paginate((cursor) => git.commits.list("my-repo", { cursor })))`.
 * A page that fails is the last one.
 */
export async function* paginate<P extends Page>(
  list: (cursor: string | undefined) => Promise<Result<P>>,
): AsyncGenerator<Result<P>, void, undefined> {
  let cursor: string | undefined;
  do {
    const page = await list(cursor);
    yield page;
    cursor = page.data?.next_cursor ?? undefined;
  } while (cursor !== undefined);
}
