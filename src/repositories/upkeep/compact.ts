// Compaction of one repository: the packs that break the geometric order become one, with all of their objects, reachable
// or not, since reflogs and sync points lead to objects that no ref does. It happens in a folder of its own, beside whatever
// is published or read meanwhile:
//   1. the replaced packs are filled in and checked by hash, packed by git, and the result is checked to have each object;
//   2. the new pack goes to the blob store, unless it is small;
//   3. one transaction retires the replaced packs and names the new one; if any of them is retired already, it writes nothing.
// Killed anywhere before the end of 3 it leaves garbage at most. Retired packs stay readable for whoever has listed them.
import { readFile } from "node:fs/promises";
import { join as joinPath } from "node:path";
import type { Transaction } from "../../db/database.ts";
import { replacePacks, tryLockCompaction } from "../../db/pack-compaction.ts";
import { type LivePack, listLivePacks } from "../../db/packs.ts";
import { CoregitError } from "../../domain/errors.ts";
import { coversIndex } from "../../git/index-coverage.ts";
import { type PackFiles, wholePack } from "../../git/pack-file.ts";
import { countObjects, packNameIn } from "../../git/pack-index.ts";
import { joinPacks, type PackingPlace } from "../../git/pack-objects.ts";
import { makeBareDirectory } from "../bare-directory.ts";
import { fillPacks, packPath, placePack } from "../pack-fill.ts";
import { readContents } from "../placed-packs.ts";
import { preparePack } from "../prepare-pack.ts";
import type { PreparedPack } from "../store.ts";
import type { StoreOptions } from "../store-options.ts";
import type { TakeBreak } from "./breaks.ts";
import { chooseForJoining } from "./geometric-order.ts";

/** git looks for an object in one pack after the other: more at once cost more than another round. */
export const MAX_JOINED_PACKS = 2_000;
/** A pack of this size is no burden to anybody, and rewriting it is. */
const MAX_JOINED_BYTES = 2 * 1024 ** 3;
/** To pack it takes minutes on a slow disk; nothing but other compactions of the repository waits meanwhile. */
const PACKING_MS = 30 * 60_000;

export type CompactionContext = Pick<StoreOptions, "database" | "blobs" | "limits"> & {
  readonly repositoryId: string;
  /** Made here; removed by the caller. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Between pieces of its work. */
  readonly takeBreak: TakeBreak;
};

export type Compaction = { readonly pack: PreparedPack; readonly files: PackFiles; readonly replacedPacks: number };

/**
 * Null: there is nothing to join, or another process does it. One process at a time, until its transaction ends.
 * @throws CoregitError `StorageCorrupt`, `ObjectMissing`, `DatabaseUnavailable`, `Internal`, `Timeout`.
 */
export async function compact(context: CompactionContext): Promise<Compaction | null> {
  return await context.database.transaction((tx) => compactLocked(tx, context));
}

async function compactLocked(tx: Transaction, context: CompactionContext): Promise<Compaction | null> {
  const { repositoryId } = context;
  if (!(await tryLockCompaction(tx, repositoryId, PACKING_MS))) return null;
  const joined = chooseJoined(await listLivePacks(tx, repositoryId));
  if (joined.length < 2) return null;
  const { pack, files } = await packTogether(joined, context);
  const takeBreak = () => context.takeBreak(context.signal);
  const isReplaced = await replacePacks(tx, repositoryId, { replaced: joined.map(({ id }) => id), pack, takeBreak });
  return isReplaced ? { pack, files, replacedPacks: joined.length } : null;
}

/** In the order of publication, as far as several are taken at once. */
function chooseJoined(packs: readonly LivePack[]): readonly LivePack[] {
  const rewritable = packs.filter(({ packSize }) => packSize <= MAX_JOINED_BYTES);
  const chosen = new Set(chooseForJoining(rewritable).slice(0, MAX_JOINED_PACKS));
  return packs.filter((pack) => chosen.has(pack));
}

async function packTogether(
  packs: readonly LivePack[],
  { folder, signal, limits, blobs, database, repositoryId, takeBreak }: CompactionContext,
): Promise<{ readonly pack: PreparedPack; readonly files: PackFiles }> {
  await makeBareDirectory(folder);
  const target = {
    directory: folder,
    repositoryId,
    workFolder: joinPath(folder, "arriving"),
    takeBreak: () => takeBreak(signal),
  };
  await fillPacks(packs, { database, blobs }, target, signal);
  const contents = await readContents(folder);
  const names = [...contents.keys()];
  const files = await join(contents, { gitDir: folder, folder, memoryBytes: limits.gitMemoryBytes, signal });
  const index = await readFile(files.idx);
  for (const name of names) {
    await takeBreak(signal);
    signal.throwIfAborted();
    if (await coversIndex(index, await readFile(packPath(folder, name, "idx")))) continue;
    throw new CoregitError("Internal", `git left out objects of pack ${name} when it was to be joined with others.`);
  }
  const destination = { repositoryId, blobs, inlinePackBytes: limits.inlinePackBytes, source: "compact", signal } as const;
  return { pack: await preparePack(await wholePack(files, signal), countObjects(index), destination), files };
}

/** Many small packs that are one here have no deltas between them: they get them first, among themselves. */
async function join(contents: ReadonlyMap<string, readonly string[]>, place: PackingPlace): Promise<PackFiles> {
  const [many, others] = [new Set<string>(), new Set<string>()];
  for (const [name, published] of contents) (published.length > 1 ? many : others).add(name);
  if (many.size === 0) return await joinPacks(others, "kept", place);
  const files = await joinPacks(many, "new", place);
  if (others.size === 0) return files;
  const name = packNameIn(await readFile(files.idx));
  await placePack(place.gitDir, name, files);
  return await joinPacks(others.add(name), "kept", place);
}
