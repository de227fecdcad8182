// The files below a folder as keys, in the order of the keys.

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

type ListedFile = { readonly key: string; readonly size: number; readonly writtenAtMs: number };

/** Keys that begin with `prefix` and come after `after`. */
type Wanted = { readonly prefix: string; readonly after: string };

/** The wanted keys below `root`. A file that goes away meanwhile is left out. */
export async function* listFiles(root: string, wanted: Wanted): AsyncGenerator<ListedFile> {
  yield* listFolder(root, wanted.prefix.slice(0, wanted.prefix.lastIndexOf("/") + 1), wanted);
}

/** `folder` is empty or ends with a slash. */
async function* listFolder(root: string, folder: string, wanted: Wanted): AsyncGenerator<ListedFile> {
  for (const name of await sortedNames(join(root, folder))) {
    const key = `${folder}${name}`;
    if (!isWanted(key, wanted)) continue;
    if (key.endsWith("/")) yield* listFolder(root, key, wanted);
    else yield* statFile(root, key);
  }
}

/** A key, or a folder that may hold one: each key of a folder comes before whatever lies behind that folder. */
function isWanted(key: string, { prefix, after }: Wanted): boolean {
  return key.startsWith(prefix) && (key > after || (key.endsWith("/") && after.startsWith(key)));
}

/**
 * Names of files, and of folders with a slash behind: by that they sort as the keys below them do ("a-b" before "a/b").
 * Names with characters that no key has are not ours, or hold unfinished puts.
 */
async function sortedNames(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
  const ours = entries.filter((entry) => /^[A-Za-z0-9._-]+$/.test(entry.name) && (entry.isFile() || entry.isDirectory()));
  return ours.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
}

async function* statFile(root: string, key: string): AsyncGenerator<ListedFile> {
  const found = await stat(join(root, key)).catch(() => null);
  if (found !== null) yield { key, size: found.size, writtenAtMs: Math.floor(found.mtimeMs) };
}
