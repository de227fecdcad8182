// A pack that index-pack accepted, looked at once more: how much it unfolds to and what its trees hold.
import { readFile, stat } from "node:fs/promises";
import { CoregitError } from "../domain/errors.ts";
import { decodeCommit, type ObjectType } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import type { TreeReader } from "../domain/tree.ts";
import type { ObjectInfo } from "../git/cat-file.ts";
import type { IndexedPack } from "../git/index-pack.ts";
import { listObjects } from "../git/object-listing.ts";
import { wholePack } from "../git/pack-file.ts";
import { listOids } from "../git/pack-index.ts";
import { packPath } from "./pack-fill.ts";
import { TreeInspection } from "./received-trees.ts";
import type { IndexedFiles } from "./seal-received.ts";
import type { StoreLimits } from "./store-options.ts";

export type ReceivedPack = IndexedFiles & {
  /** Its commits and tags. */
  readonly history: ReadonlySet<Oid>;
  /** Settled when the pack is known not to unfold beyond the limit. Rejects with `PackTooLarge`; to be awaited before the pack is published. */
  readonly sizeJudged: Promise<void>;
};

/** Up to here it costs less to ask one by one than to start a process. */
const FEW = 1_000;
/** How many commits are asked for at once. */
const BATCH = 256;

type Inspection = {
  /** The quarantine's folder. */
  readonly directory: string;
  /** Commits that the pack was asked for: their trees are looked at while the rest is listed. */
  readonly tips: readonly Oid[];
  readonly readTree: TreeReader;
  /** The same for trees that nobody will ask for again, as those of a history. */
  readonly readTreeOnce: TreeReader;
  readonly readInfo: (oid: Oid) => Promise<ObjectInfo | null>;
  readonly readCommitObject: (oid: Oid) => Promise<Uint8Array>;
  readonly limits: StoreLimits;
  readonly signal: AbortSignal;
};

/** The pack that index-pack left in the quarantine, which is what came if nothing had to be added to it. */
export async function openReceived(directory: string, indexed: IndexedPack, signal: AbortSignal): Promise<IndexedFiles> {
  const { name, bytes, sha256 } = indexed;
  const files = { pack: packPath(directory, name, "pack"), idx: packPath(directory, name, "idx") };
  const { size } = await stat(files.pack);
  const pack = size === bytes ? { files, size, sha256 } : await wholePack(files, signal);
  return { ...pack, oids: listOids(await readFile(files.idx)) };
}

/**
 * Judges the trees of the pack. What the tips lead to need not be listed to know what it is, so that of a pack which holds
 * nothing else only the size is left to judge. @throws CoregitError `PathRefused`, `TooManyObjects`, `ObjectInvalid`, and that of `sizeJudged`.
 */
export async function inspectPack(indexed: IndexedFiles, inspection: Inspection): Promise<ReceivedPack> {
  const { limits, signal, readTree, tips } = inspection;
  const objects = new Set(indexed.oids);
  const treeLimits = { maxDepth: limits.maxTreeDepth, maxPaths: limits.maxObjects };
  const trees = new TreeInspection({ objects, limits: treeLimits, signal, tracksUnreached: tips.length > 0 });
  const listed = listTypes([...objects], inspection);
  const sizeJudged = listed.then(() => undefined);
  sizeJudged.catch(() => undefined);
  try {
    await trees.check(await readTipRoots(inspection), readTree);
    const rest = trees.unreached;
    const history = rest.isSubsetOf(new Set(tips)) ? rest : await inspectRest(await listed, trees, inspection);
    trees.checkExtent();
    return { ...indexed, history, sizeJudged };
  } catch (error) {
    await Promise.allSettled([sizeJudged]);
    throw error;
  }
}

/** Judges what the tips do not lead to, and answers the commits and tags. */
async function inspectRest(
  types: ReadonlyMap<Oid, ObjectType>,
  trees: TreeInspection,
  inspection: Inspection,
): Promise<ReadonlySet<Oid>> {
  const ofType = (type: ObjectType) => [...types.keys()].filter((oid) => types.get(oid) === type);
  const commits = ofType("commit");
  await trees.check(await readRoots(commits, inspection), inspection.readTreeOnce);
  await trees.check(ofType("tree"), inspection.readTreeOnce);
  return new Set([...commits, ...ofType("tag")]);
}

async function listTypes(oids: readonly Oid[], inspection: Inspection): Promise<Map<Oid, ObjectType>> {
  const { directory, limits, signal } = inspection;
  const options = { memoryBytes: limits.gitMemoryBytes, signal };
  const listed = oids.length <= FEW ? await listFew(oids, inspection) : await listObjects(directory, oids, options);
  checkInflatedSize(
    listed.reduce((sum, { size }) => sum + size, 0),
    limits.maxInflatedBytes,
  );
  return new Map(oids.map((oid, index) => [oid, listed[index]?.type ?? "blob"]));
}

/** Asks the process that runs already. */
async function listFew(oids: readonly Oid[], { readInfo }: Inspection): Promise<readonly ObjectInfo[]> {
  const found = await Promise.all(oids.map(readInfo));
  return found.map((info, index) => {
    if (info === null) throw new CoregitError("ObjectMissing", `There is no object ${oids[index]}.`);
    return info;
  });
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
  for (let start = 0; start < commits.length; start += BATCH) {
    const batch = commits.slice(start, start + BATCH);
    roots.push(...(await Promise.all(batch.map(async (oid) => decodeCommit(oid, await readCommitObject(oid)).tree))));
  }
  return roots;
}
