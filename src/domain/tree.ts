// Trees as data. Responsible for the shapes that the plan, the object codec and the store share; reads nothing itself.
import type { Oid } from "./oid.ts";

/**
 * A path or a name inside a tree as git stores it: bytes, one per character (latin1), `/` between components.
 * Byte order is then string order, and no name that git allows is altered. Show it with `displayPath`.
 */
export type GitPath = string;

/** What an entry may be; 100664 is what git wrote before 2005 and still accepts. git's fsck refuses the rest. */
export type FileMode = "100644" | "100755" | "100664" | "120000" | "160000";
export type TreeMode = "40000";

export type TreeEntry = {
  /** One path component, bytes as latin1. */
  readonly name: string;
  readonly mode: FileMode | TreeMode;
  readonly oid: Oid;
};

/** Entries in git's order (names compared as bytes, a tree's name as if it ended in `/`). */
export type Tree = readonly TreeEntry[];

/** What stands at a path that is not a folder: file, executable, symlink or submodule link. */
export type FileEntry = { readonly mode: FileMode; readonly oid: Oid };

/**
 * Looks a tree up by its name. Content-addressed: the answer for an oid never changes, so functions of
 * trees stay pure. Answers synchronously when it can. The empty tree is always known.
 * @throws CoregitError `ObjectMissing` when no such tree is stored.
 */
export type TreeReader = (oid: Oid) => Tree | Promise<Tree>;
