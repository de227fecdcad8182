// A plan as entries of GitHub's tree requests: what goes as text within them, what needs a blob of its own, and in which order.
// Pure but for the blobs that it reads.
import { isUtf8 } from "node:buffer";
import { bytesToText } from "../../domain/byte-text.ts";
import type { Oid } from "../../domain/oid.ts";
import type { FileEntry, FileMode, GitPath } from "../../domain/tree.ts";
import type { BlobReader, CommitPlan } from "../commit-api.ts";

/** One change, not yet in GitHub's words. */
export type PlannedEntry = {
  readonly path: GitPath;
  /** Null: deleted. */
  readonly after: FileEntry | null;
  /** Mode of what is deleted or written. */
  readonly mode: FileMode;
};

/** Larger text goes as a blob: a tree request is one text in GitHub's memory, and in ours. */
export const INLINE_BYTES = 256 * 1024;

/**
 * The changes in an order that holds whatever is cut where: files that become folders go before what is put below them, all other
 * deletions last, so that no tree in between is empty. What goes because its folder becomes a file is not deleted: the file takes the
 * folder's place, and GitHub deletes no path that is gone.
 */
export function orderEntries({ changes }: Pick<CommitPlan, "changes">): PlannedEntry[] {
  const folders = new Set<GitPath>();
  for (const [path, { after }] of changes) if (after !== null) for (const folder of foldersOf(path)) folders.add(folder);
  const isReplaced = (path: GitPath): boolean => foldersOf(path).some((folder) => (changes.get(folder)?.after ?? null) !== null);
  const rank = ({ path, after }: PlannedEntry): number => (after !== null ? 1 : folders.has(path) ? 0 : 2);
  return [...changes]
    .filter(([path, { after }]) => after !== null || !isReplaced(path))
    .map(([path, { before, after }]) => ({ path, after, mode: (after ?? before)?.mode ?? "100644" }))
    .sort((left, right) => rank(left) - rank(right));
}

/** Every folder that the path is in. */
function foldersOf(path: GitPath): GitPath[] {
  const folders: GitPath[] = [];
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) folders.push(path.slice(0, end));
  return folders;
}

/** The blobs that have to be brought: not the remote's already, each once, with a path that names it. */
export function newBlobs({ changes }: Pick<CommitPlan, "changes">): ReadonlyMap<Oid, GitPath> {
  const there = new Set<Oid>();
  for (const { before } of changes.values()) if (before !== null) there.add(before.oid);
  const blobs = new Map<Oid, GitPath>();
  for (const [path, { after }] of changes) {
    if (after !== null && after.mode !== "160000" && !there.has(after.oid) && !blobs.has(after.oid)) blobs.set(after.oid, path);
  }
  return blobs;
}

/** Whether a blob goes as text within a tree request: GitHub takes there what JSON carries without a loss, and no NUL. */
export async function isInline(blobs: BlobReader, oid: Oid): Promise<boolean> {
  if ((await blobs.size(oid)) > INLINE_BYTES) return false;
  const content = await blobs.read(oid);
  return isUtf8(content) && !content.includes(0);
}

/** One entry as `POST /git/trees` takes it. */
export type TreeItem =
  | { path: string; mode: ItemMode; type: "blob" | "commit"; sha: string | null }
  | { path: string; mode: ItemMode; type: "blob"; content: string };
export type ItemMode = "100644" | "100755" | "120000" | "160000";

/** What the API cannot write, as the end of "The API …"; null: nothing. */
export function entryProblem({ path, after, mode }: PlannedEntry): string | null {
  if (bytesToText(path) === null) return "takes no path that is not UTF-8";
  // What is deleted may have had it.
  return after !== null && mode === "100664" ? "writes no files of mode 100664" : null;
}

/** `inline`: the content that goes as text; null: the blob is there. */
export function treeItem({ path, after, mode }: PlannedEntry, inline: Uint8Array | null): TreeItem {
  const name = bytesToText(path) ?? "";
  const known = mode === "100664" ? "100644" : mode;
  if (known === "160000") return { path: name, mode: known, type: "commit", sha: after?.oid ?? null };
  if (inline === null) return { path: name, mode: known, type: "blob", sha: after?.oid ?? null };
  return { path: name, mode: known, type: "blob", content: Buffer.from(inline).toString("utf8") };
}
