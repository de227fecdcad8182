// Pages of refs. The cursor is the last name shown, so refs that come and go between two pages shift nothing.
import { checkRefName } from "../domain/ref-name.ts";
import type { NamedRef, RepositoryReader } from "../repositories/store.ts";
import { badCursor } from "./bad-cursor.ts";
import { cursorText, pageLimit } from "./schemas.ts";

/** What a list of refs takes in its query. */
export const refPageQuery = {
  limit: pageLimit({ max: 500, byDefault: 100 }),
  // A name of 1,000 bytes in base64.
  cursor: cursorText.max(1400).optional(),
};

export type RefPageQuery = { readonly limit: number; readonly cursor?: string | undefined };

/** The refs whose names begin with `prefix`, in order of their names. */
export async function readRefs(
  reader: RepositoryReader,
  prefix: string,
  { limit, cursor }: RefPageQuery,
): Promise<{ readonly refs: readonly NamedRef[]; readonly nextCursor: string | null }> {
  const after = cursor === undefined ? null : decode(cursor);
  // One more than asked for tells whether there is a next page.
  const found = await reader.readRefPage({ prefix, after, limit: limit + 1 });
  const refs = found.slice(0, limit);
  const last = found.length > limit ? refs.at(-1) : undefined;
  return { refs, nextCursor: last === undefined ? null : Buffer.from(last.name).toString("base64url") };
}

function decode(cursor: string): string {
  const name = Buffer.from(cursor, "base64url").toString();
  if (checkRefName(name) === null) return name;
  throw badCursor();
}
