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

export type PackedTrees = {
  /** All trees of the pack, as they become known. */
  readonly trees: AsyncIterable<readonly ObjectInfo[]>;
  readonly positions: ObjectPositions;
  readonly read: (oid: Oid) => StoredObject | null | Promise<StoredObject | null>;
  readonly limits: TreeLimits;
  readonly signal: AbortSignal;
};

/**
 * False: an entry must not be stored. Otherwise depth and number of paths are judged, too.
 * @throws CoregitError `ObjectInvalid`, `ObjectMissing`, `PathRefused`, `TooManyObjects`.
 */
export async function areFitTrees(packed: PackedTrees): Promise<boolean> {
  const { positions, limits } = packed;
  const known = new Map<number, Folder<number>>();
  for await (const trees of readTrees(packed)) {
    for (const { oid, content } of trees) {
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

/** Batch by batch, in order. */
async function* readTrees({ trees, read, signal }: PackedTrees): AsyncGenerator<readonly StoredObject[]> {
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
export async function readTree(oid: Oid, read: PackedTrees["read"]): Promise<StoredObject> {
  const object = await read(oid);
  if (object?.type !== "tree") throw new CoregitError("ObjectMissing", `There is no tree ${oid}.`, { details: { oid } });
  return object;
}

async function* inBatches(trees: PackedTrees["trees"]): AsyncGenerator<readonly Oid[]> {
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
