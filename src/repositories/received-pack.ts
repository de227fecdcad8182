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
import { TreeInspection } from "./received-trees.ts";
import type { StoreLimits } from "./store-options.ts";

export type ReceivedPack = {
  readonly files: PackFiles;
  readonly entries: readonly IndexEntry[];
  readonly types: ReadonlyMap<Oid, ObjectType>;
};

type Inspection = {
  /** The quarantine's folder. */
  readonly directory: string;
  /** Commits that the pack was asked for: their trees are looked at while the rest is listed. */
  readonly tips: readonly Oid[];
  readonly readTree: TreeReader;
  readonly readCommitObject: (oid: Oid) => Promise<Uint8Array>;
  readonly limits: StoreLimits;
  readonly signal: AbortSignal;
};

/** @throws CoregitError `PackTooLarge`, `PathRefused`, `TooManyObjects`, `ObjectInvalid`. */
export async function inspectPack(name: string, inspection: Inspection): Promise<ReceivedPack> {
  const { directory, limits, signal, readTree } = inspection;
  const files = { pack: packPath(directory, name, "pack"), idx: packPath(directory, name, "idx") };
  const entries = decodeIndex(await readFile(files.idx));
  const objects = new Set(entries.map(({ oid }) => oid));
  const treeLimits = { maxDepth: limits.maxTreeDepth, maxPaths: limits.maxObjects };
  const trees = new TreeInspection({ objects, readTree, limits: treeLimits, signal });
  // Two processes at once, and neither outlives this: what fails waits for the other.
  const [listed, checked] = await Promise.allSettled([
    listTypes([...objects], inspection),
    readTipRoots(inspection).then((roots) => trees.check(roots)),
  ]);
  if (checked.status === "rejected") throw checked.reason;
  if (listed.status === "rejected") throw listed.reason;
  const types = listed.value;
  const ofType = (type: ObjectType) => [...objects].filter((oid) => types.get(oid) === type);
  await trees.check(await readRoots(ofType("commit"), inspection));
  await trees.check(ofType("tree"));
  trees.checkExtent();
  return { files, entries, types };
}

async function listTypes(oids: readonly Oid[], { directory, limits, signal }: Inspection): Promise<Map<Oid, ObjectType>> {
  const listed = await listObjects(directory, oids, { memoryBytes: limits.gitMemoryBytes, signal });
  checkInflatedSize(
    listed.reduce((sum, { size }) => sum + size, 0),
    limits.maxInflatedBytes,
  );
  return new Map(oids.map((oid, index) => [oid, listed[index]?.type ?? "blob"]));
}

function checkInflatedSize(bytes: number, maxInflatedBytes: number): void {
  if (bytes > maxInflatedBytes) {
    throw new CoregitError("PackTooLarge", `The pack unpacks to ${bytes} bytes; at most ${maxInflatedBytes} are taken.`);
  }
}

/** A tip that is not there, or no commit, is the business of whoever asked for it. */
async function readTipRoots(inspection: Inspection): Promise<Oid[]> {
  try {
    return await readRoots(inspection.tips, inspection);
  } catch (error) {
    if (error instanceof CoregitError && error.code === "ObjectMissing") return [];
    throw error;
  }
}

/** Root trees of commits that the repository has or the pack brings. */
async function readRoots(commits: readonly Oid[], { readCommitObject }: Inspection): Promise<Oid[]> {
  const roots: Oid[] = [];
  for (const oid of commits) roots.push(decodeCommit(oid, await readCommitObject(oid)).tree);
  return roots;
}
