// The files that differ between two trees, with the numbers of lines, as both APIs list them.
import { gitBytes } from "../git.ts";
import { type BareRepository, EMPTY_TREE } from "./bare-repository.ts";

export type DiffFile = {
  readonly path: string;
  readonly status: "added" | "removed" | "modified";
  /** Of the blob after; of the one before for a removed file. */
  readonly oid: string;
  readonly oldMode: string;
  readonly newMode: string;
  readonly additions: number;
  readonly deletions: number;
};

const STATUS: Readonly<Record<string, DiffFile["status"]>> = { A: "added", D: "removed" };

/** `before` null: everything is new. Without detection of renames. */
export async function diffFiles(repository: BareRepository, before: string | null, after: string): Promise<DiffFile[]> {
  const args = ["diff-tree", "-r", "-z", "--no-renames", "--raw", "--numstat", "--no-abbrev", before ?? EMPTY_TREE, after];
  const words = (await gitBytes(["-C", repository.path, ...args])).toString("utf8").split("\0").filter(Boolean);
  const counts = new Map<string, readonly [number, number]>();
  const raw: (readonly [string, string])[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (word.startsWith(":")) {
      index += 1;
      raw.push([word, words[index] ?? ""]);
      continue;
    }
    const [added = "", removed = "", path = ""] = word.split("\t");
    counts.set(path, [Number(added) || 0, Number(removed) || 0]);
  }
  return raw.map(([line, path]) => {
    const [oldMode = "", newMode = "", oldOid = "", newOid = "", letter = ""] = line.slice(1).split(" ");
    const status = STATUS[letter] ?? "modified";
    const [additions, deletions] = counts.get(path) ?? [0, 0];
    return { path, status, oid: status === "removed" ? oldOid : newOid, oldMode, newMode, additions, deletions };
  });
}
