// Which packs a folder has that git opens. A file may have the objects of many small packs: then a list beside it names them.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { PackRow } from "../db/packs.ts";
import type { PackPart } from "./checked-bytes.ts";
import { packPath } from "./pack-fill.ts";

/** Names of the packs whose index and pack are both there. */
export async function listPlaced(directory: string): Promise<Set<string>> {
  return placedAmong(await listFiles(directory));
}

/** Names of the published packs in each pack that is there: its own, unless it is made of many. */
export async function readContents(directory: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const files = await listFiles(directory);
  const contents = async (name: string) => {
    const list = files.has(`pack-${name}.list`) ? await readFile(packPath(directory, name, "list"), "latin1") : name;
    return [name, list.split("\n")] as const;
  };
  return new Map(await Promise.all([...placedAmong(files)].map(contents)));
}

async function listFiles(directory: string): Promise<ReadonlySet<string>> {
  return new Set(await readdir(join(directory, "objects", "pack")).catch(() => []));
}

function placedAmong(files: ReadonlySet<string>): Set<string> {
  const names = [...files].flatMap((file) => /^pack-([0-9a-f]{40})\.idx$/.exec(file)?.[1] ?? []);
  return new Set(names.filter((name) => files.has(`pack-${name}.pack`)));
}

/** For each published pack which pack has its objects. */
export async function findPlaced(directory: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const [file, names] of await readContents(directory)) {
    for (const name of names) if (!found.has(name) || name === file) found.set(name, file);
  }
  return found;
}

export async function hasSizes(directory: string, { name, packSize, idxSize }: PackRow): Promise<boolean> {
  const sizeOf = async (part: PackPart) => (await stat(packPath(directory, name, part)).catch(() => null))?.size;
  return (await sizeOf("pack")) === packSize && (await sizeOf("idx")) === idxSize;
}
