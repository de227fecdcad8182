// Entries of trees as the API shows them, with git's words for what they are.
import type { FileMode, TreeEntry, TreeMode } from "../../domain/tree.ts";
import type { ListedEntry } from "../../domain/tree-walk.ts";
import type { AnswerOf } from "../answers/answer-of.ts";
import type { treeEntry } from "../answers/file.ts";
import { presentPath } from "../git-path.ts";

/** `size` of a blob, in bytes; null for folders and submodule links. */
export function presentEntry({ path, entry }: ListedEntry, size: number | null): AnswerOf<typeof treeEntry> {
  return {
    name: presentPath(entry.name).path,
    ...presentPath(path),
    type: objectType(entry),
    mode: presentMode(entry.mode),
    sha: entry.oid,
    ...(size === null ? {} : { size }),
  };
}

/** Six digits, as git prints them. */
export function presentMode(mode: FileMode | TreeMode): string {
  return mode.padStart(6, "0");
}

function objectType({ mode }: TreeEntry): "tree" | "commit" | "blob" {
  if (mode === "40000") return "tree";
  return mode === "160000" ? "commit" : "blob";
}
