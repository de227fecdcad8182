// A pack that index-pack accepted, looked at once more: how much it unfolds to and what its trees hold.
import { readFile } from "node:fs/promises";
import { CoregitError } from "../domain/errors.ts";
import { decodeCommit, type ObjectType } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import type { TreeReader } from "../domain/tree.ts";
import type { PackFiles } from "../git/cut-pack.ts";
import { listObjects } from "../git/object-listing.ts";
import { decodeIndex, type IndexEntry } from "../git/pack-index.ts";
import { packPath } from "./pack-fill.ts";
import { checkReceivedTrees } from "./received-trees.ts";
import type { StoreLimits } from "./store-options.ts";

export type ReceivedPack = {
  readonly files: PackFiles;
  readonly entries: readonly IndexEntry[];
  readonly types: ReadonlyMap<Oid, ObjectType>;
};

type Inspection = {
  /** The quarantine's folder. */
  readonly directory: string;
  readonly readTree: TreeReader;
  readonly readCommitObject: (oid: Oid) => Promise<Uint8Array>;
  readonly limits: StoreLimits;
  readonly signal: AbortSignal;
};

/** @throws CoregitError `PackTooLarge`, `PathRefused`, `TooManyObjects`, `ObjectInvalid`. */
export async function inspectPack(name: string, inspection: Inspection): Promise<ReceivedPack> {
  const { directory, limits, signal } = inspection;
  const files = { pack: packPath(directory, name, "pack"), idx: packPath(directory, name, "idx") };
  const entries = decodeIndex(await readFile(files.idx));
  const oids = entries.map(({ oid }) => oid);
  const listed = await listObjects(directory, oids, { memoryBytes: limits.gitMemoryBytes, signal });
  checkInflatedSize(
    listed.reduce((sum, { size }) => sum + size, 0),
    limits.maxInflatedBytes,
  );
  const types = new Map(oids.map((oid, index) => [oid, listed[index]?.type ?? "blob"]));
  await checkReceivedTrees({
    roots: await readRoots(types, inspection),
    trees: new Set(oids.filter((oid) => types.get(oid) === "tree")),
    readTree: inspection.readTree,
    limits: { maxDepth: limits.maxTreeDepth, maxPaths: limits.maxObjects },
    signal,
  });
  return { files, entries, types };
}

function checkInflatedSize(bytes: number, maxInflatedBytes: number): void {
  if (bytes > maxInflatedBytes) {
    throw new CoregitError("PackTooLarge", `The pack unpacks to ${bytes} bytes; at most ${maxInflatedBytes} are taken.`);
  }
}

async function readRoots(types: ReadonlyMap<Oid, ObjectType>, inspection: Inspection): Promise<Oid[]> {
  const roots: Oid[] = [];
  for (const [oid, type] of types) {
    if (type === "commit") roots.push(decodeCommit(oid, await inspection.readCommitObject(oid)).tree);
  }
  return roots;
}
