// The changes of one commit: from entries as a caller writes them to changes that can be planned. Everything is refused
// here that is wrong whatever the branch holds; what depends on the files that are there is commit-plan's.
import { CoregitError, type ErrorCode } from "./errors.ts";
import { type NewObject, newObject } from "./object-codec.ts";
import { displayPath, toGitPath } from "./path-rules.ts";
import type { TextEdit } from "./text-edit.ts";
import type { FileMode, GitPath } from "./tree.ts";
import { checkWrittenPath } from "./written-path.ts";

/** What one commit may bring, as the product states it. */
export const MAX_CHANGES = 1_000;
/** Of one file, decoded. */
export const MAX_FILE_BYTES = 10 * 1024 * 1024;

/** Modes that a caller may ask for: a file, an executable, a symbolic link. */
export const WRITABLE_MODES = ["100644", "100755", "120000"] as const;
export const CHANGE_ACTIONS = ["put", "create", "edit", "rename", "delete"] as const;
export const CONTENT_ENCODINGS = ["utf-8", "base64"] as const;

/** One entry as the API takes it. */
export type ChangeEntry = {
  readonly path: string;
  readonly action: (typeof CHANGE_ACTIONS)[number];
  readonly content?: string | undefined;
  readonly encoding?: (typeof CONTENT_ENCODINGS)[number] | undefined;
  readonly mode?: (typeof WRITABLE_MODES)[number] | undefined;
  readonly new_path?: string | undefined;
  readonly edits?: readonly TextEdit[] | undefined;
};

/** `mode` null: as it is, or a plain file. */
type Written = { readonly index: number; readonly path: GitPath; readonly mode: FileMode | null };

export type ContentChange = Written & { readonly action: "put" | "create"; readonly blob: NewObject };
export type EditChange = Written & { readonly action: "edit"; readonly edits: readonly TextEdit[] };
export type RenameChange = Written & { readonly action: "rename"; readonly newPath: GitPath };
export type FileChange = ContentChange | EditChange | RenameChange | (Written & { readonly action: "delete" });

/**
 * @throws CoregitError `CommitTooLarge`, `InvalidRequest`, `PathRefused`, each naming the entry in `details`: too many, a
 * field that is missing or out of place, content that cannot be decoded, a path that may not be written, a path twice, a
 * file that another entry needs as a folder.
 */
export function readChanges(entries: readonly ChangeEntry[]): readonly FileChange[] {
  if (entries.length > MAX_CHANGES) {
    const message = `A commit has at most ${MAX_CHANGES} changes; this one has ${entries.length}.`;
    throw new CoregitError("CommitTooLarge", message, { details: { field: "changes" } });
  }
  const changes = entries.map(readChange);
  refuseRepeatedPaths(changes);
  refuseFilesAsFolders(changes);
  return changes;
}

/** An entry's failure: the sentence names it as `changes[3] (its/path)`. */
export function refuseEntry(
  code: ErrorCode,
  entry: { readonly index: number; readonly path: GitPath },
  problem: string,
): CoregitError {
  const field = `changes[${entry.index}]`;
  const path = displayPath(entry.path.length > 200 ? `${entry.path.slice(0, 200)}…` : entry.path);
  return new CoregitError(code, `${field} (${path}) ${problem}.`, { details: { field, path } });
}

function readChange(entry: ChangeEntry, index: number): FileChange {
  const written = { index, path: readPath({ index, path: entry.path }, "path", entry.path), mode: entry.mode ?? null };
  checkFields(entry, written);
  switch (entry.action) {
    case "put":
    case "create":
      return { ...written, action: entry.action, blob: newObject("blob", readContent(entry, written)) };
    case "edit":
      return { ...written, action: "edit", edits: readEdits(entry.edits ?? [], written) };
    case "rename":
      return { ...written, action: "rename", newPath: readPath(written, "new_path", entry.new_path ?? "") };
    case "delete":
      return { ...written, action: "delete" };
  }
}

type EntryName = { readonly index: number; readonly path: string };

function readPath(entry: EntryName, field: "path" | "new_path", text: string): GitPath {
  const reason = checkWrittenPath(text);
  if (reason === null) return toGitPath(text);
  const subject = field === "path" ? "" : "has a new_path that ";
  throw refuseEntry("PathRefused", { ...entry, path: toGitPath(entry.path) }, `${subject}${reason}`);
}

type OptionalField = "content" | "encoding" | "mode" | "new_path" | "edits";

const FIELDS: Readonly<
  Record<ChangeEntry["action"], { readonly needs: OptionalField | null; readonly takes: readonly OptionalField[] }>
> = {
  put: { needs: "content", takes: ["content", "encoding", "mode"] },
  create: { needs: "content", takes: ["content", "encoding", "mode"] },
  edit: { needs: "edits", takes: ["edits", "mode"] },
  rename: { needs: "new_path", takes: ["new_path", "mode"] },
  delete: { needs: null, takes: [] },
};
const OPTIONAL_FIELDS: readonly OptionalField[] = ["content", "encoding", "mode", "new_path", "edits"];

function checkFields(entry: ChangeEntry, written: Written): void {
  const { needs, takes } = FIELDS[entry.action];
  if (needs !== null && entry[needs] === undefined) {
    throw refuseEntry("InvalidRequest", written, `needs ${needs} for the action ${entry.action}`);
  }
  const extra = OPTIONAL_FIELDS.find((field) => entry[field] !== undefined && !takes.includes(field));
  if (extra !== undefined)
    throw refuseEntry("InvalidRequest", written, `has ${extra}, which the action ${entry.action} does not take`);
}

function readContent({ content = "", encoding = "utf-8" }: ChangeEntry, written: Written): Uint8Array {
  const size = encoding === "base64" ? Math.floor((content.length * 3) / 4) - countPadding(content) : Buffer.byteLength(content);
  if (size > MAX_FILE_BYTES) {
    throw refuseEntry("CommitTooLarge", written, `has ${size} bytes of content; a file has at most ${MAX_FILE_BYTES}`);
  }
  if (encoding === "utf-8") {
    if (!content.isWellFormed())
      throw refuseEntry("InvalidRequest", written, "has content that is not valid Unicode: a lone surrogate");
    return Buffer.from(content, "utf8");
  }
  const bytes = Buffer.from(content, "base64");
  // Decoding passes over whatever is not base64, so only what encodes to the same text was valid.
  if (bytes.toString("base64") !== content) throw refuseEntry("InvalidRequest", written, "has content that is not valid base64");
  return bytes;
}

function countPadding(base64: string): number {
  if (base64.endsWith("==")) return 2;
  return base64.endsWith("=") ? 1 : 0;
}

function readEdits(edits: readonly TextEdit[], written: Written): readonly TextEdit[] {
  for (const [index, edit] of edits.entries()) {
    if (edit.old_string === "") throw refuseEntry("InvalidRequest", written, `has an empty old_string in edits[${index}]`);
    if (edit.old_string.isWellFormed() && edit.new_string.isWellFormed()) continue;
    throw refuseEntry("InvalidRequest", written, `has text in edits[${index}] that is not valid Unicode: a lone surrogate`);
  }
  return edits;
}

function refuseRepeatedPaths(changes: readonly FileChange[]): void {
  const seen = new Map<GitPath, number>();
  for (const change of changes) {
    for (const path of change.action === "rename" ? [change.path, change.newPath] : [change.path]) {
      const earlier = seen.get(path);
      if (earlier !== undefined) {
        throw refuseEntry("InvalidRequest", { ...change, path }, `names a path that changes[${earlier}] names too`);
      }
      seen.set(path, change.index);
    }
  }
}

function refuseFilesAsFolders(changes: readonly FileChange[]): void {
  const files = new Map(changes.filter(({ action }) => action !== "delete").map((change) => [targetOf(change), change]));
  for (const [path, change] of files) {
    const file = foldersOf(path)
      .map((folder) => files.get(folder))
      .find((found) => found !== undefined);
    if (file === undefined) continue;
    throw refuseEntry("InvalidRequest", { ...change, path }, `needs a folder where changes[${file.index}] writes a file`);
  }
}

/** Where the file of a change is afterwards. */
export function targetOf(change: FileChange): GitPath {
  return change.action === "rename" ? change.newPath : change.path;
}

/** The folders that lead to a path: `a` and `a/b` for `a/b/c`. */
function foldersOf(path: GitPath): GitPath[] {
  const names = path.split("/");
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join("/"));
}
