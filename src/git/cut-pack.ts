// A pack without some of its objects. A server writes commits and tags before the rest, so what an import drops stands at
// the edges and the others can be copied as they are: a delta names its base by distance, which does not change.
// Where that is not so, git packs the kept objects again, taking over its deltas.
import { createHash } from "node:crypto";
import { open, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
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
  const packed = entries.toSorted((a, b) => a.offset - b.offset);
  const first = packed.findIndex(({ oid }) => kept.has(oid));
  const last = packed.findLastIndex(({ oid }) => kept.has(oid));
  const range = packed.slice(first, last + 1);
  if (range.length !== kept.size) return repack(kept, options);
  return copyRange(from, range, packed[last + 1]?.offset ?? null, options);
}

/** `end`: offset of the first object after the range, null: the range reaches the trailer. */
async function copyRange(
  from: PackFiles,
  range: readonly IndexEntry[],
  end: number | null,
  { folder, signal }: CutOptions,
): Promise<PackFiles> {
  const base = join(folder, `cut-${basename(from.pack, ".pack")}`);
  const to = { pack: `${base}.pack`, idx: `${base}.idx` };
  await using source = await open(from.pack, "r");
  await using target = await open(to.pack, "w");
  const start = range[0]?.offset ?? PACK_HEADER_BYTES;
  const stop = end ?? (await source.stat()).size - PACK_TRAILER_BYTES;
  const checksum = createHash("sha1");
  const header = encodePackHeader(range.length);
  checksum.update(header);
  await target.writev([header]);
  const buffer = Buffer.allocUnsafe(COPY_BYTES);
  for (let position = start; position < stop; ) {
    signal.throwIfAborted();
    const { bytesRead } = await source.read(buffer, 0, Math.min(COPY_BYTES, stop - position), position);
    if (bytesRead === 0) break;
    const chunk = buffer.subarray(0, bytesRead);
    checksum.update(chunk);
    await target.writev([chunk]);
    position += bytesRead;
  }
  const trailer = checksum.digest();
  await target.writev([trailer]);
  const shift = start - PACK_HEADER_BYTES;
  const moved = range.map((entry) => ({ ...entry, offset: entry.offset - shift }));
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
