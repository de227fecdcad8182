// A pack that index-pack accepted, looked at once more: how much it unfolds to and what its trees hold.
import { readFile, stat } from "node:fs/promises";
import { CoregitError } from "../domain/errors.ts";
import { decodeCommit, decodeTree, type ObjectType } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import type { TreeReader } from "../domain/tree.ts";
import type { ObjectInfo } from "../git/cat-file.ts";
import type { IndexedPack } from "../git/index-pack.ts";
import { readContents } from "../git/object-contents.ts";
import { listObjects } from "../git/object-listing.ts";
import { wholePack } from "../git/pack-file.ts";
import { listOids, ObjectPositions } from "../git/pack-index.ts";
import { isSmallPack, type PackedObjects, readSmallPack } from "../git/small-pack.ts";
import { packPath } from "./pack-fill.ts";
import { TreeInspection, type TreeLimits } from "./received-trees.ts";
import { areFitTrees, type ReadObject, readTree, readTrees } from "./scan-trees.ts";
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
  readonly readInfo: (oid: Oid) => ObjectInfo | null | Promise<ObjectInfo | null>;
  /** For trees that nobody will ask for again, as those of a history. */
  readonly readObject: ReadObject;
  readonly readCommitObject: (oid: Oid) => Promise<Uint8Array>;
  readonly limits: StoreLimits;
  readonly signal: AbortSignal;
};

export type OpenedPack = IndexedFiles & {
  readonly positions: ObjectPositions;
  /** It is as it came, and nothing in it leads to an object outside of it. */
  readonly isSelfContained: boolean;
  /** Its objects, when they are few and small. */
  readonly objects: PackedObjects | null;
};

/** The pack that index-pack left in the quarantine, which is what came if nothing had to be added to it. */
export async function openReceived(directory: string, indexed: IndexedPack, signal: AbortSignal): Promise<OpenedPack> {
  const { name, bytes, sha256 } = indexed;
  const files = { pack: packPath(directory, name, "pack"), idx: packPath(directory, name, "idx") };
  const [{ size }, index] = await Promise.all([stat(files.pack), readFile(files.idx)]);
  const oids = listOids(index);
  // Neither alone says so: git adds to a thin pack what it builds on, and passes over bytes that follow a pack.
  const isAsSent = size === bytes && oids.length === indexed.objects;
  const pack = isAsSent ? { files, size, sha256 } : await wholePack(files, signal);
  const isSelfContained = isAsSent && indexed.isSelfContained;
  const isSmall = isSmallPack({ objects: oids.length, bytes: size });
  const positions = new ObjectPositions(index);
  const objects = isSmall ? readSmallPack(await readFile(files.pack), index) : null;
  return { ...pack, positions, oids, isSelfContained, objects };
}

/**
 * Judges the trees of the pack. What the tips lead to need not be listed to know what it is, so that of a pack which holds
 * nothing else only the size is left to judge. @throws CoregitError `PathRefused`, `TooManyObjects`, `ObjectInvalid`, and that of `sizeJudged`.
 */
export async function inspectPack(pack: OpenedPack, inspection: Inspection): Promise<ReceivedPack> {
  const { files, oids, positions, size, sha256 } = pack;
  const listing = listPack(positions.inPackOrder(oids), inspection);
  if (inspection.tips.length === 0) {
    const history = await inspectAll(pack, listing, inspection);
    return { files, oids, size, sha256, history, sizeJudged: Promise.resolve() };
  }
  const listed = Array.fromAsync(listing);
  const sizeJudged = listed.then(() => undefined);
  sizeJudged.catch(() => undefined);
  try {
    const history = (await inspectTips(pack, inspection)) ?? (await inspectAll(pack, await listed, inspection));
    return { files, oids, size, sha256, history, sizeJudged };
  } catch (error) {
    await Promise.allSettled([sizeJudged]);
    throw error;
  }
}

/** Judges what the tips lead to, and answers the history of a pack that holds nothing else; null: more has to be judged. */
async function inspectTips({ oids }: OpenedPack, inspection: Inspection): Promise<ReadonlySet<Oid> | null> {
  const { tips, signal } = inspection;
  const trees = new TreeInspection({ objects: new Set(oids), limits: treeLimits(inspection), signal, tracksUnreached: true });
  await trees.check(await readTipRoots(inspection), inspection.readTree);
  const rest = trees.unreached;
  if (!rest.isSubsetOf(new Set(tips))) return null;
  trees.checkExtent();
  return rest;
}

type Listing = AsyncIterable<readonly ObjectInfo[]> | Iterable<readonly ObjectInfo[]>;

/** Judges all trees while the objects are still being listed, and answers the commits and tags. */
async function inspectAll(pack: OpenedPack, listing: Listing, inspection: Inspection): Promise<ReadonlySet<Oid>> {
  const history = new Set<Oid>();
  async function* listed(): AsyncGenerator<readonly ObjectInfo[]> {
    for await (const objects of listing) {
      for (const { oid, type } of objects) if (type === "commit" || type === "tag") history.add(oid);
      yield objects.filter(({ type }) => type === "tree");
    }
  }
  const { oids, positions } = pack;
  const isFit = await areFitTrees({
    trees: readListed(listed(), oids.length, inspection),
    positions,
    limits: treeLimits(inspection),
  });
  if (!isFit) await findPath(oids, inspection);
  return history;
}

function readListed(trees: AsyncIterable<readonly ObjectInfo[]>, objects: number, inspection: Inspection) {
  const { directory, limits, signal, readObject } = inspection;
  if (objects <= FEW) return readTrees(trees, readObject, signal);
  async function* oids(): AsyncGenerator<readonly Oid[]> {
    for await (const some of trees) yield some.map(({ oid }) => oid);
  }
  return readContents(directory, oids(), { memoryBytes: limits.gitMemoryBytes, signal });
}

/** Looks at all trees once more, from the commits on, so that the refusal names the path of what is refused. */
async function findPath(oids: readonly Oid[], inspection: Inspection): Promise<void> {
  const { signal, readObject } = inspection;
  const listed = (await Array.fromAsync(listPack(oids, inspection))).flat();
  const readOnce = async (oid: Oid) => decodeTree((await readTree(oid, readObject)).content);
  const ofType = (type: ObjectType) => listed.filter((object) => object.type === type).map(({ oid }) => oid);
  const trees = new TreeInspection({ objects: new Set(oids), limits: treeLimits(inspection), signal, tracksUnreached: false });
  await trees.check(await readRoots(ofType("commit"), inspection), readOnce);
  await trees.check(ofType("tree"), readOnce);
  trees.checkExtent();
}

function treeLimits({ limits }: Inspection): TreeLimits {
  return { maxDepth: limits.maxTreeDepth, maxPaths: limits.maxObjects };
}

/** The objects with their types and sizes. @throws CoregitError `PackTooLarge` before it gives those that are too much. */
async function* listPack(oids: readonly Oid[], inspection: Inspection): AsyncGenerator<readonly ObjectInfo[]> {
  const { directory, limits, signal } = inspection;
  const options = { memoryBytes: limits.gitMemoryBytes, signal };
  let bytes = 0;
  for await (const objects of oids.length <= FEW ? [listFew(oids, inspection)] : listObjects(directory, oids, options)) {
    for (const { size } of objects) bytes += size;
    checkInflatedSize(bytes, limits.maxInflatedBytes);
    yield objects;
  }
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
