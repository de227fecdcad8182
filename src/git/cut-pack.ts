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

type CutOptions = {
  /** A repository that has the objects. */
  readonly gitDir: string;
  readonly folder: string;
  readonly memoryBytes: number;
  readonly signal: AbortSignal;
};

/** Writes the objects of `kept` (at least one) as a pack of their own into `options.folder`. */
export async function cutPack(
  from: PackFiles,
  entries: readonly IndexEntry[],
  kept: ReadonlySet<Oid>,
  options: CutOptions,
): Promise<PackFiles> {
  const { size } = await stat(from.pack);
  const range = findRange(entries, kept, size - PACK_TRAILER_BYTES);
  return range === null ? repack(kept, options) : copyRange(from, range, options);
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

async function copyRange(from: PackFiles, range: Range, { folder, signal }: CutOptions): Promise<PackFiles> {
  const base = join(folder, `cut-${basename(from.pack, ".pack")}`);
  const to = { pack: `${base}.pack`, idx: `${base}.idx` };
  await using source = await open(from.pack, "r");
  await using target = await open(to.pack, "w");
  const checksum = createHash("sha1");
  const append = async (bytes: Buffer) => {
    checksum.update(bytes);
    await target.writeFile(bytes);
  };
  await append(encodePackHeader(range.entries.length));
  const buffer = Buffer.allocUnsafe(COPY_BYTES);
  for (let position = range.start; position < range.end; ) {
    signal.throwIfAborted();
    const { bytesRead } = await source.read(buffer, 0, Math.min(COPY_BYTES, range.end - position), position);
    if (bytesRead === 0) throw new CoregitError("ObjectMissing", "A pack in quarantine became shorter.");
    await append(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
  const trailer = checksum.digest();
  await target.writeFile(trailer);
  const shift = range.start - PACK_HEADER_BYTES;
  const moved = range.entries.map((entry) => ({ ...entry, offset: entry.offset - shift }));
  await writeFile(to.idx, encodeIndex(moved, trailer));
  return to;
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
