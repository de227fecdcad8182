// Where a page of commits goes on: the commit that the first page began at and how many have been shown. A branch that
// moves between two pages does not shift them.
import { isOid, type Oid } from "../domain/oid.ts";
import { badCursor } from "./bad-cursor.ts";

export type CommitCursor = { readonly from: Oid; readonly skip: number };

const FORM = /^([0-9a-f]{40})\.(\d{1,9})$/;

export function encodeCommitCursor({ from, skip }: CommitCursor): string {
  return Buffer.from(`${from}.${skip}`, "latin1").toString("base64url");
}

/** @throws CoregitError `InvalidRequest` when `text` is none that `encodeCommitCursor` made. */
export function decodeCommitCursor(text: string): CommitCursor {
  const [, from, skip] = FORM.exec(Buffer.from(text, "base64url").toString("latin1")) ?? [];
  if (from !== undefined && skip !== undefined && isOid(from)) return { from, skip: Number(skip) };
  throw badCursor();
}
