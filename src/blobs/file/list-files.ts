// The files below a folder as keys, in the order of the keys.

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

type ListedFile = { readonly key: string; readonly size: number; readonly writtenAtMs: number };

/** Keys below `root` that start with `prefix`. A file that goes away meanwhile is left out. */
export async function* listFiles(root: string, prefix: string): AsyncGenerator<ListedFile> {
  yield* listFolder(root, prefix.slice(0, prefix.lastIndexOf("/") + 1), prefix);
}

/** `folder` is empty or ends with a slash. */
async function* listFolder(root: string, folder: string, prefix: string): AsyncGenerator<ListedFile> {
  for (const name of await sortedNames(join(root, folder))) {
    const key = `${folder}${name}`;
    if (!key.startsWith(prefix)) continue;
    if (key.endsWith("/")) yield* listFolder(root, key, prefix);
    else yield* statFile(root, key);
  }
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
