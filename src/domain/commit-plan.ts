// The tree that a commit's changes lead to, from the tree that is there. Reads only what lies on the way to a change.
// Refuses what does not fit the files that are there, naming the entry.
import { CoregitError } from "./errors.ts";
import {
  type ContentChange,
  type EditChange,
  type FileChange,
  MAX_FILE_BYTES,
  type RenameChange,
  refuseEntry,
  targetOf,
} from "./file-change.ts";
import { type NewObject, newObject } from "./object-codec.ts";
import { EMPTY_TREE, type Oid } from "./oid.ts";
import { checkTreeEntry, displayPath } from "./path-rules.ts";
import { checkFileContent } from "./special-file.ts";
import { applyEdits } from "./text-edit.ts";
import type { FileEntry, FileMode, GitPath, TreeEntry, TreeReader } from "./tree.ts";
import type { Change } from "./tree-diff.ts";
import { editTree, type NewTree, newTree } from "./tree-edit.ts";
import { lookUp } from "./tree-lookup.ts";

/** What a plan may read of the branch. */
export type PlanSource = {
  readonly readTree: TreeReader;
  /** @throws CoregitError `ObjectMissing`. */
  readBlob(oid: Oid): Promise<Uint8Array>;
  blobSize(oid: Oid): Promise<number | null>;
};

export type CommitPlan = {
  readonly root: Oid;
  readonly newTrees: readonly NewTree[];
  /** Blobs that edits made; those of the other changes are in the changes. */
  readonly editedBlobs: readonly NewObject[];
};

/** Bytes that the edits of one commit may search, about a second's work. A file is searched once for each of its edits. */
const MAX_SEARCHED_BYTES = 64 * 1024 * 1024;

/**
 * @throws CoregitError `ChangeRefused`, `CommitTooLarge`, `PathRefused` with the entry in `details`; `ObjectMissing`.
 */
export async function planCommit(source: PlanSource, base: Oid, changes: readonly FileChange[]): Promise<CommitPlan> {
  const planning: Planning = { source, base, searchedBytes: 0, leaves: new Map(), editedBlobs: [] };
  for (const change of changes) await placeChange(planning, change);
  const { root, newTrees, collisions } = await editTree(source.readTree, base, planning.leaves);
  if (collisions[0] !== undefined) throw refuseCollision(collisions[0], changes);
  const trees = root === EMPTY_TREE && newTrees.length === 0 ? [newTree([])] : newTrees;
  return { root, newTrees: trees, editedBlobs: planning.editedBlobs };
}

type Planning = {
  readonly source: PlanSource;
  readonly base: Oid;
  searchedBytes: number;
  readonly leaves: Map<GitPath, Change>;
  readonly editedBlobs: NewObject[];
};

async function placeChange(planning: Planning, change: FileChange): Promise<void> {
  const present = await lookUp(planning.source.readTree, planning.base, change.path);
  switch (change.action) {
    case "put":
    case "create":
      return placeContent(planning, change, present);
    case "edit":
      return await placeEdit(planning, change, requireFile(change, present));
    case "rename":
      return await placeRename(planning, change, requireFile(change, present));
    case "delete":
      requireFile(change, present);
      planning.leaves.set(change.path, { before: null, after: null });
  }
}

function placeContent(planning: Planning, change: ContentChange, present: TreeEntry | null): void {
  if (change.action === "create" && present !== null && present.mode !== "40000") throw refuse(change, "is there already");
  const mode = change.mode ?? keptMode(present);
  checkFile(change, change.path, { mode, blob: change.blob });
  planning.leaves.set(change.path, { before: null, after: { mode, oid: change.blob.oid } });
}

async function placeEdit(planning: Planning, change: EditChange, file: FileEntry): Promise<void> {
  if (file.mode === "160000") throw refuse(change, "is a link to a submodule, which has no content to edit");
  const blob = newObject("blob", await editContent(planning, change, file.oid));
  const mode = change.mode ?? keptMode(file);
  checkFile(change, change.path, { mode, blob });
  planning.editedBlobs.push(blob);
  planning.leaves.set(change.path, { before: null, after: { mode, oid: blob.oid } });
}

async function editContent(planning: Planning, change: EditChange, oid: Oid): Promise<Uint8Array> {
  const { source } = planning;
  const size = (await source.blobSize(oid)) ?? 0;
  if (size > MAX_FILE_BYTES)
    throw refuseEntry("CommitTooLarge", change, `is larger than the ${MAX_FILE_BYTES} bytes that can be edited`);
  planning.searchedBytes += change.edits.length * size;
  if (planning.searchedBytes > MAX_SEARCHED_BYTES) {
    throw refuseEntry("CommitTooLarge", change, "takes the edits of this commit beyond what one commit may search");
  }
  const edited = applyEdits(await source.readBlob(oid), change.edits);
  if ("found" in edited) {
    const times = edited.found === "none" ? "is not in the file" : "is in the file more than once";
    throw refuse(change, `has an old_string in edits[${edited.index}] that ${times}`);
  }
  if (edited.byteLength > MAX_FILE_BYTES) {
    throw refuseEntry("CommitTooLarge", change, `would have ${edited.byteLength} bytes; a file has at most ${MAX_FILE_BYTES}`);
  }
  return edited;
}

async function placeRename(planning: Planning, change: RenameChange, file: FileEntry): Promise<void> {
  const there = await lookUp(planning.source.readTree, planning.base, change.newPath);
  if (there !== null && there.mode !== "40000")
    throw refuse(change, `cannot become ${displayPath(change.newPath)}, which is there already`);
  const mode = file.mode === "160000" ? file.mode : (change.mode ?? keptMode(file));
  checkFile(change, change.newPath, { mode, blob: { oid: file.oid, content: null } });
  planning.leaves.set(change.path, { before: null, after: null });
  planning.leaves.set(change.newPath, { before: null, after: { mode, oid: file.oid } });
}

function requireFile(change: FileChange, present: TreeEntry | null): FileEntry {
  if (present === null) throw refuse(change, "is not there");
  if (present.mode === "40000") throw refuse(change, "is a folder");
  return { mode: present.mode, oid: present.oid };
}

/** The mode of a file that is written again. git no longer writes 100664, and a submodule link that gets content is a file. */
function keptMode(present: Pick<TreeEntry, "mode"> | null): FileMode {
  const mode = present?.mode;
  return mode === "100755" || mode === "120000" ? mode : "100644";
}

type Placed = { readonly mode: FileMode; readonly blob: Pick<NewObject, "oid"> & { readonly content: Uint8Array | null } };

function checkFile(change: FileChange, path: GitPath, { mode, blob }: Placed): void {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const reason = checkTreeEntry({ name, mode, oid: blob.oid }) ?? (blob.content && checkFileContent(name, mode, blob.content));
  if (reason !== null) throw refuseEntry("PathRefused", { ...change, path }, reason);
}

function refuse(change: FileChange, problem: string): CoregitError {
  return refuseEntry("ChangeRefused", change, problem);
}

/** The entry that cannot be put in place: one at the path, or one that needs a folder there. */
function refuseCollision(path: GitPath, changes: readonly FileChange[]): CoregitError {
  const change = changes.find((candidate) => `${targetOf(candidate)}/`.startsWith(`${path}/`));
  const problem = `cannot be written: ${displayPath(path)} would be a file and a folder`;
  if (change === undefined) return new CoregitError("ChangeRefused", `A file ${problem}.`);
  return refuseEntry("ChangeRefused", { ...change, path: targetOf(change) }, problem);
}
