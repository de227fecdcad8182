// The trees of a received pack, each read and judged once as it stands in the pack. Nothing is known of where it stands in the
// repository, so when one is refused somebody else has to look for its path.
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import { scanTree } from "../domain/tree-scan.ts";
import type { ObjectInfo, StoredObject } from "../git/cat-file.ts";
import type { ObjectPositions } from "../git/pack-index.ts";
import { checkExtent, type Folder, type TreeLimits } from "./received-trees.ts";

/** What is asked for at once. While that is looked at, the next is on its way. */
const BATCH_TREES = 512;
const BATCH_BYTES = 1 << 20;

export type ReadObject = (oid: Oid) => StoredObject | null | Promise<StoredObject | null>;

export type PackedTrees = {
  /** All trees of the pack. */
  readonly trees: AsyncIterable<readonly StoredObject[]>;
  readonly positions: ObjectPositions;
  readonly limits: TreeLimits;
};

/**
 * False: an entry must not be stored. Otherwise depth and number of paths are judged, too.
 * @throws CoregitError `ObjectInvalid`, `ObjectMissing`, `PathRefused`, `TooManyObjects`.
 */
export async function areFitTrees({ trees, positions, limits }: PackedTrees): Promise<boolean> {
  const known = new Map<number, Folder<number>>();
  for await (const some of trees) {
    for (const { oid, type, content } of some) {
      if (type !== "tree") throw noTree(oid);
      const folder = scanFolder(content, positions);
      if (folder === null) return false;
      known.set(positions.positionOf(oid), folder);
    }
  }
  checkExtent(known, limits);
  return true;
}

function scanFolder(content: Buffer, positions: ObjectPositions): Folder<number> | null {
  const folders: number[] = [];
  const entries = scanTree(content, (oidAt) => {
    const folder = positions.find(content, oidAt);
    if (folder >= 0) folders.push(folder);
  });
  return entries === null ? null : { entries, folders };
}

/** The trees one by one, some at a time, in order. For few: see `readContents`. @throws CoregitError `ObjectMissing`. */
export async function* readTrees(
  trees: AsyncIterable<readonly ObjectInfo[]>,
  read: ReadObject,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredObject[]> {
  let arriving: Promise<StoredObject[]> | null = null;
  for await (const batch of inBatches(trees)) {
    const next = Promise.all(batch.map((oid) => readTree(oid, read)));
    // Whoever waits for it hears of a failure; after an earlier one nobody does.
    next.catch(() => undefined);
    if (arriving !== null) yield await arriving;
    signal.throwIfAborted();
    arriving = next;
  }
  if (arriving !== null) yield await arriving;
}

/** @throws CoregitError `ObjectMissing`. */
export async function readTree(oid: Oid, read: ReadObject): Promise<StoredObject> {
  const object = await read(oid);
  if (object?.type !== "tree") throw noTree(oid);
  return object;
}

function noTree(oid: Oid): CoregitError {
  return new CoregitError("ObjectMissing", `There is no tree ${oid}.`, { details: { oid } });
}

async function* inBatches(trees: AsyncIterable<readonly ObjectInfo[]>): AsyncGenerator<readonly Oid[]> {
  let batch: Oid[] = [];
  let bytes = 0;
  for await (const listed of trees) {
    for (const { oid, size } of listed) {
      if (batch.length === BATCH_TREES || bytes >= BATCH_BYTES) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push(oid);
      bytes += size;
    }
  }
  yield batch;
}
