// A pack without some of its objects. A server writes commits and tags before the rest, so what an import drops stands at
// the edges and the others can be copied as they are: a delta names its base by distance, which does not change.
// Where that is not so, git packs the kept objects again, taking over its deltas.
import { createHash } from "node:crypto";
import { open, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import { type GitCommand, gitFailure, runGit } from "./git-process.ts";
import { encodePackHeader, PACK_HEADER_BYTES, PACK_TRAILER_BYTES } from "./pack-header.ts";
import { encodeIndex, type IndexEntry } from "./pack-index.ts";

const COPY_BYTES = 1 << 20;

/** A pack and its index in files. */
export type PackFiles = { readonly pack: string; readonly idx: string };

/** A finished pack on its way to be stored: large, so its bytes are read once and everything is done with them then. */
export type PackBytes = {
  readonly size: number;
  /** The pack's bytes in order. To be read once and to the end: only then `files` are complete. */
  read(): AsyncGenerator<Buffer>;
  readonly files: PackFiles;
};

type CutOptions = {
  /** A repository that has the objects. */
  readonly gitDir: string;
  readonly folder: string;
  readonly memoryBytes: number;
  readonly signal: AbortSignal;
};

/** The objects of `kept` (at least one) as a pack of their own in `options.folder`. */
export async function cutPack(
  from: PackFiles,
  entries: readonly IndexEntry[],
  kept: ReadonlySet<Oid>,
  options: CutOptions,
): Promise<PackBytes> {
  if (kept.size === entries.length) return await wholePack(from, options.signal);
  const { size } = await stat(from.pack);
  const range = findRange(entries, kept, size - PACK_TRAILER_BYTES);
  return range === null ? await wholePack(await repack(kept, options), options.signal) : rangeOf(from, range, options);
}

/** A pack that is in files already. */
export async function wholePack(files: PackFiles, signal: AbortSignal): Promise<PackBytes> {
  const { size } = await stat(files.pack);
  return { size, files, read: () => readRange(files.pack, { start: 0, end: size }, signal) };
}

async function* readRange(
  path: string,
  { start, end }: { readonly start: number; readonly end: number },
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  await using file = await open(path, "r");
  for (let position = start; position < end; ) {
    signal.throwIfAborted();
    const buffer = Buffer.allocUnsafe(Math.min(COPY_BYTES, end - position));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) throw new CoregitError("ObjectMissing", "A pack in quarantine became shorter.");
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}

type Range = {
  readonly start: number;
  /** After the last byte of the last object. */
  readonly end: number;
  /** In order of oid. */
  readonly entries: readonly IndexEntry[];
};

/** Where the kept objects stand; null: others stand between them. */
function findRange(entries: readonly IndexEntry[], kept: ReadonlySet<Oid>, endOfObjects: number): Range | null {
  const inside = entries.filter(({ oid }) => kept.has(oid));
  const start = inside.reduce((first, { offset }) => Math.min(first, offset), endOfObjects);
  const last = inside.reduce((latest, { offset }) => Math.max(latest, offset), 0);
  const dropped = entries.filter(({ oid }) => !kept.has(oid)).map(({ offset }) => offset);
  if (dropped.some((offset) => offset > start && offset < last)) return null;
  const end = dropped.filter((offset) => offset > last).reduce((first, offset) => Math.min(first, offset), endOfObjects);
  return { start, end, entries: inside };
}

function rangeOf(from: PackFiles, range: Range, { folder, signal }: CutOptions): PackBytes {
  const base = join(folder, `cut-${basename(from.pack, ".pack")}`);
  const files = { pack: `${base}.pack`, idx: `${base}.idx` };
  const size = PACK_HEADER_BYTES + range.end - range.start + PACK_TRAILER_BYTES;
  return { size, files, read: () => copyRange(from, range, { files, signal }) };
}

/** Passes the new pack on while it writes it into `files`, the index last. */
async function* copyRange(
  from: PackFiles,
  range: Range,
  { files, signal }: { readonly files: PackFiles; readonly signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const checksum = createHash("sha1");
  await using target = await open(files.pack, "w");
  for await (const chunk of headed(range, readRange(from.pack, range, signal))) {
    // Written here while whoever reads does its part; a failure is thrown below, not while nobody looks.
    const written = target.writeFile(chunk);
    written.catch(() => undefined);
    checksum.update(chunk);
    yield chunk;
    await written;
  }
  const trailer = checksum.digest();
  await target.writeFile(trailer);
  const shift = range.start - PACK_HEADER_BYTES;
  const moved = range.entries.map((entry) => ({ ...entry, offset: entry.offset - shift }));
  await writeFile(files.idx, encodeIndex(moved, trailer));
  yield trailer;
}

async function* headed(range: Range, objects: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield encodePackHeader(range.entries.length);
  yield* objects;
}

async function repack(kept: ReadonlySet<Oid>, { folder, ...options }: CutOptions): Promise<PackFiles> {
  const base = join(folder, "repacked");
  const args = ["pack-objects", "--quiet", "--window=0", "--threads=1", base];
  const command: GitCommand = { args, ...options };
  const input = [...kept].map((oid) => `${oid}\n`).join("");
  const { stdout, exit } = await runGit(command, { input, maxOutputBytes: 1_024 });
  const name = stdout.toString("latin1").trim();
  if (exit.code !== 0 || !/^[0-9a-f]{40}$/.test(name)) throw gitFailure(command, exit);
  return { pack: `${base}-${name}.pack`, idx: `${base}-${name}.idx` };
}
