// Lists what is in a folder, in git's order, up to a limit.
import type { Oid } from "./oid.ts";
import type { GitPath, TreeEntry, TreeReader } from "./tree.ts";

export type ListedEntry = {
  /** From the root of the listing's path. */
  readonly path: GitPath;
  readonly entry: TreeEntry;
  /** The tree that holds the entry, and its position there. */
  readonly folder: Oid;
  readonly index: number;
};

export type TreeListing = { readonly entries: readonly ListedEntry[]; readonly isTruncated: boolean };

export type ListingOptions = {
  /** What stands before each path: "" or a folder's path. */
  readonly path: GitPath;
  /** Folders are followed by what is in them. */
  readonly isRecursive: boolean;
  readonly limit: number;
};

type Level = { readonly oid: Oid; readonly prefix: GitPath; readonly rest: Iterator<[number, TreeEntry]> };

/**
 * The entries of `root`. What is listed of a folder are its first entries, so that what is known of them by position
 * can be asked for at once. @throws CoregitError `ObjectMissing`.
 */
export async function listTree(read: TreeReader, root: Oid, options: ListingOptions): Promise<TreeListing> {
  const open = async (oid: Oid, path: GitPath): Promise<Level> => {
    const tree = await read(oid);
    return { oid, prefix: path === "" ? "" : `${path}/`, rest: tree.entries() };
  };
  const entries: ListedEntry[] = [];
  const levels = [await open(root, options.path)];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const next = level.rest.next();
    if (next.done === true) {
      levels.pop();
      continue;
    }
    if (entries.length === options.limit) return { entries, isTruncated: true };
    const [index, entry] = next.value;
    const path = level.prefix + entry.name;
    entries.push({ path, entry, folder: level.oid, index });
    if (options.isRecursive && entry.mode === "40000") levels.push(await open(entry.oid, path));
  }
  return { entries, isTruncated: false };
}
