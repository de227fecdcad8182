// Brings published packs into a folder that git opens: a local view, or one for work. Nothing enters whose bytes do not have
// the recorded hash. Small packs come many at a time from their rows, and when they are many, are one pack where they arrive;
// the others come one by one from the blob store.
import { hash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setImmediate as yieldTurn } from "node:timers/promises";
import type { BlobStore } from "../blobs/blob-store.ts";
import type { Database } from "../db/database.ts";
import { type InlinePack, type LivePack, type PackRow, readInlinePacks } from "../db/packs.ts";
import { CoregitError } from "../domain/errors.ts";
import { concatPacks } from "../git/concat-packs.ts";
import { coversIndex } from "../git/index-coverage.ts";
import type { PackFiles } from "../git/pack-file.ts";
import type { WrittenPack } from "../git/pack-writer.ts";
import { checkedBytes, checkHash, type PackPart } from "./checked-bytes.ts";
import { inParallel } from "./in-parallel.ts";

type BatchLimits = { readonly packs: number; readonly bytes: number };
/** What is held of small packs at once. To check so many, or to join them, holds the event loop for about five milliseconds. */
const BATCH: BatchLimits = { packs: 250, bytes: 2 * 1024 ** 2 };
/** The same beside others, whose answers wait for it. */
const SMALL_BATCH: BatchLimits = { packs: 80, bytes: 1024 ** 2 };
/** So many small packs take git and the disk longer than to make one of them does. */
const MANY_PACKS = 64;
const CONCURRENT_FILLS = 4;
const CONCURRENT_WRITES = 8;

/** Where the blob store has a part of a pack. */
export function packKey(repositoryId: string, packId: string, part: PackPart): string {
  return `${repositoryId}/${packId}.${part}`;
}

/** Where a view has it. */
export function packPath(directory: string, name: string, part: PackPart | "list"): string {
  return join(directory, "objects", "pack", `pack-${name}.${part}`);
}

/** Moves a complete pack into a view. git looks for indexes, so that comes last. */
export async function placePack(directory: string, name: string, files: PackFiles): Promise<void> {
  await rename(files.pack, packPath(directory, name, "pack"));
  await rename(files.idx, packPath(directory, name, "idx"));
}

export type FillSource = { readonly database: Database; readonly blobs: BlobStore };
export type FillTarget = {
  readonly directory: string;
  readonly repositoryId: string;
  /** For the files on their way, in the same file system; made and removed here. */
  readonly workFolder: string;
  /** For work that nobody waits for: batches are smaller, and this is waited for after each. */
  readonly takeBreak?: () => Promise<void>;
};

/** @throws CoregitError `StorageCorrupt` when bytes are not those that were published; `ObjectMissing` when they are gone. */
export async function fillPacks(
  packs: readonly LivePack[],
  source: FillSource,
  target: FillTarget,
  signal?: AbortSignal,
): Promise<void> {
  if (packs.length === 0) return;
  await mkdir(target.workFolder, { recursive: true });
  try {
    const limits = target.takeBreak === undefined ? BATCH : SMALL_BATCH;
    for (const batch of inBatches(
      packs.filter(({ isInline }) => isInline),
      limits,
    )) {
      signal?.throwIfAborted();
      await fillBatch(batch, source, target);
      await target.takeBreak?.();
    }
    const stored = packs.filter(({ isInline }) => !isInline);
    await inParallel(stored, CONCURRENT_FILLS, (pack) => fillStored(pack, source, target, signal));
  } finally {
    await rm(target.workFolder, { recursive: true, force: true });
  }
}

function* inBatches(packs: readonly LivePack[], limits: BatchLimits): Generator<readonly LivePack[]> {
  let batch: LivePack[] = [];
  let bytes = 0;
  for (const pack of packs) {
    const size = pack.packSize + pack.idxSize;
    if (batch.length === limits.packs || (batch.length > 0 && bytes + size > limits.bytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(pack);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

type Small = InlinePack & { readonly row: LivePack };

async function fillBatch(rows: readonly LivePack[], source: FillSource, target: FillTarget): Promise<void> {
  const packs = await readChecked(rows, source);
  await yieldTurn();
  const { joined, apart } = packs.length < MANY_PACKS ? { joined: null, apart: packs } : concatPacks(packs);
  await yieldTurn();
  if (joined !== null) await placeJoined(joined, without(packs, apart), target);
  await inParallel(apart, CONCURRENT_WRITES, (pack) => placeBytes({ ...pack, name: pack.row.name }, target));
}

async function readChecked(rows: readonly LivePack[], { database }: FillSource): Promise<Small[]> {
  const ids = rows.map(({ id }) => id);
  const found = new Map((await readInlinePacks(database, ids)).map((inline) => [inline.id, inline]));
  return rows.map((row) => {
    const inline = found.get(row.id);
    if (inline === undefined) throw new CoregitError("ObjectMissing", `Stored pack ${row.id} is gone.`);
    checkHash(hash("sha256", inline.pack, "buffer"), row, "pack");
    checkHash(hash("sha256", inline.idx, "buffer"), row, "idx");
    return { ...inline, row };
  });
}

function without(packs: readonly Small[], apart: readonly Small[]): readonly Small[] {
  const left = new Set(apart);
  return packs.filter((pack) => !left.has(pack));
}

/** The list comes first: as long as the index is not there, nobody looks at either. */
async function placeJoined(joined: WrittenPack, packs: readonly Small[], target: FillTarget): Promise<void> {
  for (const { idx, row } of packs) {
    if (await coversIndex(joined.idx, Buffer.from(idx))) continue;
    throw new CoregitError("Internal", `Objects of pack ${row.id} were left out when it was joined with others.`);
  }
  const list = join(target.workFolder, `${joined.name}.list`);
  await writeFile(list, packs.map(({ row }) => row.name).join("\n"));
  await rename(list, packPath(target.directory, joined.name, "list"));
  await placeBytes({ ...joined, id: joined.name }, target);
}

async function placeBytes(pack: InlinePack & { readonly name: string }, target: FillTarget): Promise<void> {
  const files = workFiles(pack, target);
  await writeFile(files.pack, pack.pack);
  await writeFile(files.idx, pack.idx);
  await placePack(target.directory, pack.name, files);
}

async function fillStored(pack: PackRow, { blobs }: FillSource, target: FillTarget, signal?: AbortSignal): Promise<void> {
  const bytes = (part: PackPart) => blobs.get(packKey(target.repositoryId, pack.id, part), undefined, signal);
  const files = workFiles(pack, target);
  await pipeline(checkedBytes(bytes("pack"), pack, "pack"), createWriteStream(files.pack));
  await pipeline(checkedBytes(bytes("idx"), pack, "idx"), createWriteStream(files.idx));
  await placePack(target.directory, pack.name, files);
}

function workFiles({ id }: Pick<PackRow, "id">, { workFolder }: FillTarget): PackFiles {
  return { pack: join(workFolder, `${id}.pack`), idx: join(workFolder, `${id}.idx`) };
}
