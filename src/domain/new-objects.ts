// Which objects a tree brings to somebody who has another one: what has to travel so that the second becomes the first.
import { EMPTY_TREE, type Oid } from "./oid.ts";
import type { Tree, TreeEntry, TreeReader } from "./tree.ts";

/** Trees read side by side at once. */
const PAIRS_AT_ONCE = 128;

export type NewObjects = { readonly trees: readonly Oid[]; readonly blobs: readonly Oid[] };

type Pair = { readonly before: Oid; readonly after: Oid };

type Found = {
  readonly trees: Set<Oid>;
  readonly blobs: Set<Oid>;
  /** What the other side was seen to have, wherever it stands: a file that moved is not new. */
  readonly present: Set<Oid>;
};

/**
 * Objects below `after`, itself included, that are not below `before`. Folders that are the same on both sides are not
 * read, so that a file copied from one of them counts as new. Commits of submodules are nobody's to send.
 * @throws CoregitError `ObjectMissing`.
 */
export async function newObjects(read: TreeReader, before: Oid, after: Oid): Promise<NewObjects> {
  const found: Found = { trees: new Set(), blobs: new Set(), present: new Set([before]) };
  let level: Pair[] = [{ before, after }];
  while (level.length > 0) {
    const below: Pair[] = [];
    for (let start = 0; start < level.length; start += PAIRS_AT_ONCE) {
      const pairs = level.slice(start, start + PAIRS_AT_ONCE).filter((pair) => isUnknown(found, pair.after));
      const trees = await Promise.all(
        pairs.map(async (pair) => [await readTree(read, pair.before), await readTree(read, pair.after)] as const),
      );
      for (const [index, pair] of pairs.entries()) {
        found.trees.add(pair.after);
        const [old, next] = trees[index] ?? [[], []];
        below.push(...compare(found, old, next));
      }
    }
    level = below;
  }
  const isNew = (oid: Oid) => !found.present.has(oid);
  return { trees: [...found.trees].filter(isNew), blobs: [...found.blobs].filter(isNew) };
}

function isUnknown({ trees, present }: Found, oid: Oid): boolean {
  return !trees.has(oid) && !present.has(oid);
}

function readTree(read: TreeReader, oid: Oid): Tree | Promise<Tree> {
  return oid === EMPTY_TREE ? [] : read(oid);
}

/** Notes the files, and answers the folders to look into. */
function compare(found: Found, before: Tree, after: Tree): Pair[] {
  const folders = new Map<string, Oid>();
  for (const entry of before) {
    found.present.add(entry.oid);
    if (entry.mode === "40000") folders.set(entry.name, entry.oid);
  }
  const below: Pair[] = [];
  for (const entry of after) {
    if (isBlob(entry)) found.blobs.add(entry.oid);
    if (entry.mode === "40000") below.push({ before: folders.get(entry.name) ?? EMPTY_TREE, after: entry.oid });
  }
  return below;
}

function isBlob({ mode }: TreeEntry): boolean {
  return mode !== "40000" && mode !== "160000";
}
