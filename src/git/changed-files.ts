// The files that differ between two trees, read from what `diff-tree -z --raw --numstat` writes: first one record a file
// (`:modes oids status`, then one path, or two for a rename), then the line counts in the same order.
import { CoregitError } from "../domain/errors.ts";
import { type Oid, parseOid, ZERO_OID } from "../domain/oid.ts";
import type { GitPath } from "../domain/tree.ts";

export type FileStatus = "added" | "modified" | "deleted" | "renamed" | "typechanged";

export type ChangedFile = {
  readonly path: GitPath;
  /** Where a renamed file was before. */
  readonly oldPath: GitPath | null;
  readonly status: FileStatus;
  /** Mode and object now; null for a deleted file. */
  readonly mode: string | null;
  readonly oid: Oid | null;
  readonly isBinary: boolean;
  /** Lines; 0 in binary files. */
  readonly additions: number;
  readonly deletions: number;
};

export type ChangedFiles = {
  /** In the order of their paths' bytes, the first ones when there are more than were asked for. */
  readonly files: readonly ChangedFile[];
  /** How many differ in all. */
  readonly total: number;
};

const STATUS: Readonly<Record<string, FileStatus>> = {
  A: "added",
  M: "modified",
  D: "deleted",
  R: "renamed",
  T: "typechanged",
};
const RAW = /^:\d{6} (\d{6}) [0-9a-f]{40} ([0-9a-f]{40}) ([AMDRT])\d*$/;
const COUNTS = /^(\d+|-)\t(\d+|-)\t/;

type Change = { readonly header: string; readonly paths: readonly string[] };

/**
 * Reads to the counts of the last file that is shown; what follows is left unread.
 * @throws CoregitError `Internal` for output of another form.
 */
export async function readChangedFiles(output: AsyncIterable<Buffer>, maxFiles: number): Promise<ChangedFiles> {
  const files: Omit<ChangedFile, "isBinary" | "additions" | "deletions">[] = [];
  const counted: ChangedFile[] = [];
  let total = 0;
  for await (const { header, paths } of records(output)) {
    if (header.startsWith(":")) {
      total += 1;
      if (files.length < maxFiles) files.push(describe(header, paths));
      continue;
    }
    const file = files[counted.length];
    if (file !== undefined) counted.push({ ...file, ...countsOf(header) });
    if (counted.length === files.length) return { files: counted, total };
  }
  return { files: counted, total };
}

function describe(header: string, [first = "", second]: readonly string[]) {
  const [, mode = "", oid = "", letter = ""] = RAW.exec(header) ?? [];
  const status = STATUS[letter];
  if (status === undefined) throw malformed();
  const isThere = parseOid(oid) !== ZERO_OID;
  return {
    path: second ?? first,
    oldPath: second === undefined ? null : first,
    status,
    mode: isThere ? mode : null,
    oid: isThere ? parseOid(oid) : null,
  };
}

function countsOf(header: string) {
  const [, additions = "", deletions = ""] = COUNTS.exec(header) ?? [];
  if (additions === "") throw malformed();
  const isBinary = additions === "-";
  return { isBinary, additions: isBinary ? 0 : Number(additions), deletions: isBinary ? 0 : Number(deletions) };
}

async function* records(output: AsyncIterable<Buffer>): AsyncGenerator<Change> {
  let header: string | null = null;
  let paths: string[] = [];
  for await (const token of tokens(output)) {
    if (header === null) header = token;
    else paths.push(token);
    if (paths.length < pathsAfter(header)) continue;
    yield { header, paths };
    header = null;
    paths = [];
  }
}

/** How many paths follow a header. Counts end in the path itself, unless they are of a rename. */
function pathsAfter(header: string): number {
  if (header.startsWith(":")) return /R\d*$/.test(header) ? 2 : 1;
  return header.endsWith("\t") ? 2 : 0;
}

/** What NUL ends, as latin1. */
async function* tokens(output: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of output) {
    const parts = (rest + chunk.toString("latin1")).split("\0");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

function malformed(): CoregitError {
  return new CoregitError("Internal", "git described a change in a form that is not known.");
}
